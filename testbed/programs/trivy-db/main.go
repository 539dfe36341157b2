// Command trivy-db writes a vulnerability database as Trivy reads it (a bbolt file) of entries given as JSON lines on standard
// input: {"path":["alpine 3.19","musl"],"key":"CVE-…","value":{"FixedVersion":"1.2"}}. Its one argument is the file.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"os"

	"go.etcd.io/bbolt"
)

type entry struct {
	Path  []string        `json:"path"`
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
}

func put(tx *bbolt.Tx, e entry) error {
	bucket, err := tx.CreateBucketIfNotExists([]byte(e.Path[0]))
	for _, name := range e.Path[1:] {
		if err != nil {
			return err
		}
		bucket, err = bucket.CreateBucketIfNotExists([]byte(name))
	}
	if err != nil {
		return err
	}
	return bucket.Put([]byte(e.Key), e.Value)
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: trivy-db FILE")
	}
	db, err := bbolt.Open(os.Args[1], 0o644, nil)
	if err != nil {
		log.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			var e entry
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				return err
			}
			if err := put(tx, e); err != nil {
				return err
			}
		}
		return lines.Err()
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := db.Close(); err != nil {
		log.Fatal(err)
	}
}
