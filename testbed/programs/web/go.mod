module shipmate.dev/testbed/web

go 1.26.0
