#!/bin/sh
# What AWS would refuse or do badly is said here: sam validate --lint, cfn-lint of every template, sam build.
# PY is the project's interpreter, UV its installer or empty. Ends with the weights of all packages.
set -eu
cd "$(dirname "$0")/.."

export SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION="${AWS_DEFAULT_REGION:-eu-central-1}"
BIN=$(pwd)/.venv-sam/bin
OUT=build/sam
case $PY in /*) ;; *) PY=$(pwd)/$PY ;; esac
case ${UV:-} in '' | /*) ;; *) UV=$(pwd)/$UV ;; esac
export PYTHON="$PY" UV="${UV:-}"

"$BIN/sam" validate --lint --template template.yaml
for template in template.yaml infra/*.yaml; do
  case $template in *docker-compose.yml) continue ;; esac
  [ -f "$template" ] || continue
  "$BIN/cfn-lint" --regions "$AWS_DEFAULT_REGION" -- "$template"
done
echo 'cfn-lint: no error, no warning'

rm -rf "$OUT"
"$BIN/sam" build --no-use-container --template template.yaml --build-dir "$OUT" --cache-dir build/sam-cache
