module shipmate.dev/testbed/readers

go 1.26.8

require (
	github.com/distribution/reference v0.6.0
	github.com/google/go-containerregistry v0.22.1
	github.com/moby/patternmatcher v0.6.0
	github.com/opencontainers/image-spec v1.1.1
)

require github.com/opencontainers/go-digest v1.0.0 // indirect
