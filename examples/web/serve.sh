# PID 1 gets no default signal handling: without the trap a stop would take the whole grace period.
trap 'exit 0' TERM INT
bb=/bin/busybox
echo "web $VERSION starting on :8080"
if [ "$VERSION" = v3 ]; then
  $bb sleep 1
  echo "connecting to database at db.internal:5432"
  echo "panic: runtime error: invalid memory address or nil pointer dereference" >&2
  echo "    main.loadConfig(config.go:42)" >&2
  exit 1
fi
$bb mkdir -p /www
echo "web $VERSION" >/www/index.html
echo ok >/www/healthz
$bb httpd -f -p 8080 -h /www &
echo "web $VERSION ready"
wait $!
