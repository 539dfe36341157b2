// Command readers reads what Shipmate reads, as the programs around it do: with the very libraries of BuildKit, containerd,
// the kubelet, cosign and Trivy. Each line of its input is a question in JSON, and each line of its output the answer to one.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/distribution/reference"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	oci "github.com/opencontainers/image-spec/specs-go/v1"
)

type question struct {
	// "ignore", "reference", or the name of a document in `documents`.
	Kind string `json:"kind"`
	// The ignore file, the reference, or the document: bytes.
	Text  []byte   `json:"text"`
	Paths []string `json:"paths"`
}

// Every program has structs of its own for the same document.
var documents = map[string]func() []any{
	"manifest": func() []any { return []any{&oci.Manifest{}, &oci.Index{}, &v1.Manifest{}, &v1.IndexManifest{}} },
	"image":    func() []any { return []any{&oci.Image{}, &v1.ConfigFile{}} },
}

// What each reader has of the document, or its error.
func document(into []any, text []byte) (any, error) {
	found := []any{}
	for _, each := range into {
		if err := json.Unmarshal(text, each); err != nil {
			found = append(found, "unread: "+err.Error())
			continue
		}
		found = append(found, each)
	}
	return found, nil
}

// Whether each path is left out, asked for as BuildKit's walk asks: folder by folder.
func ignored(text []byte, paths []string) (any, error) {
	patterns, err := ignorefile.ReadAll(strings.NewReader(string(text)))
	if err != nil {
		return nil, err
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return nil, err
	}
	found := make([]bool, len(paths))
	for at, path := range paths {
		var above patternmatcher.MatchInfo
		parts := strings.Split(path, "/")
		for n := range parts {
			found[at], above, err = matcher.MatchesUsingParentResults(strings.Join(parts[:n+1], "/"), above)
			if err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

type parts struct {
	Registry   string `json:"registry"`
	Repository string `json:"repository"`
	Tag        string `json:"tag,omitempty"`
	Digest     string `json:"digest,omitempty"`
}

// Where the container runtime pulls a reference from, and where cosign and Trivy do.
func referred(text string) (any, error) {
	found := map[string]any{"runtime": nil, "cosign": nil}
	if named, err := reference.ParseNormalizedNamed(text); err == nil {
		is := parts{Registry: reference.Domain(named), Repository: reference.Path(named)}
		if tagged, ok := named.(reference.Tagged); ok {
			is.Tag = tagged.Tag()
		}
		if digested, ok := named.(reference.Digested); ok {
			is.Digest = digested.Digest().String()
		}
		found["runtime"] = is
	}
	if named, err := name.ParseReference(text, name.WithDefaultTag("")); err == nil {
		is := parts{Registry: named.Context().RegistryStr(), Repository: named.Context().RepositoryStr()}
		if digested, ok := named.(name.Digest); ok {
			is.Digest = digested.DigestStr()
		} else {
			is.Tag = named.Identifier()
		}
		found["cosign"] = is
	}
	return found, nil
}

func answer(asked question) (any, error) {
	if into, ok := documents[asked.Kind]; ok {
		return document(into(), asked.Text)
	}
	switch asked.Kind {
	case "ignore":
		return ignored(asked.Text, asked.Paths)
	case "reference":
		return referred(string(asked.Text))
	}
	return nil, fmt.Errorf("there is no reader for %q", asked.Kind)
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			log.Fatal(err)
		}
		value, err := answer(asked)
		said := map[string]any{"value": value}
		if err != nil {
			said = map[string]any{"error": err.Error()}
		}
		if err := out.Encode(said); err != nil {
			log.Fatal(err)
		}
	}
}
