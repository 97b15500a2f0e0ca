#!/bin/sh
# Asks a public database for known weaknesses of every package of every lock. Ends with 1 when one has some, and with 3,
# saying so, when the database cannot be reached: then nothing is known, neither good nor bad.
set -u
cd "$(dirname "$0")/.."

result=0
for lock in functions/pack/light.lock functions/pack/analyse.lock ingestor/requirements.lock requirements.lock; do
  echo "auditing $lock…"
  said=$(.venv-audit/bin/pip-audit --progress-spinner off --disable-pip --require-hashes --timeout "${AUDIT_TIMEOUT:-15}" \
    --vulnerability-service "${AUDIT_SERVICE:-osv}" --requirement "$lock" 2>&1)
  code=$?
  if [ $code -ne 0 ]; then
    case $said in
      *onnection* | *onnectTimeout* | *ServiceError* | *"resolve"* | *ProxyError* | *SSLError*)
        echo 'NOT audited: the database of weaknesses cannot be reached from here' >&2
        exit 3 ;;
    esac
    result=1
  fi
  echo "$said" | tail -n 40
done
exit $result
