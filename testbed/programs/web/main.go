// Command web is the example app of mesh tests and sandbox: it answers with its version. FAILS is the share of requests
// that it answers with 500 (0.07), SLOW how long it takes for each (40ms), both off by default.
package main

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func main() {
	version := os.Getenv("VERSION")
	fails, _ := strconv.ParseFloat(os.Getenv("FAILS"), 64)
	slow, _ := time.ParseDuration(os.Getenv("SLOW"))
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("x-version", version)
		time.Sleep(slow)
		if rand.Float64() < fails {
			http.Error(w, "cannot reach the database", http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, "web "+version)
	})
	server := &http.Server{Addr: ":8080", Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	stop, release := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer release()
	go func() {
		<-stop.Done()
		// It is taken out of the proxies' lists first: until they know, requests still come and are answered.
		time.Sleep(2 * time.Second)
		ending, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = server.Shutdown(ending)
	}()
	log.Printf("web %s on :8080", version)
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		log.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
}
