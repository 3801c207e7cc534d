#!/bin/sh
# Copies the vendored browser files into static/, from the versions locked in scripts/vendor/.
# Maintainers only: needs npm. Nothing here runs when pneumoweb is installed or started.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp scripts/vendor/package.json scripts/vendor/package-lock.json "$work/"
(cd "$work" && npm ci --ignore-scripts --no-audit --no-fund --silent)
modules="$work/node_modules"

# Tabler's stylesheet, without the pointer to a source map that is not shipped.
mkdir -p static/vendor/tabler static/vendor/openseadragon
sed '/^\/\*# sourceMappingURL=/d' "$modules/@tabler/core/dist/css/tabler.min.css" > static/vendor/tabler/tabler.min.css
{ sed -n '2,5p' static/vendor/tabler/tabler.min.css; cat "$modules/@tabler/icons/LICENSE"; } > static/vendor/tabler/LICENSE
python3 scripts/vendor/sprite.py "$modules/@tabler/icons/icons/outline" scripts/vendor/icons.txt > static/img/icons.svg

# The film viewer.
sed '/^\/\/# sourceMappingURL=/d' "$modules/openseadragon/build/openseadragon/openseadragon.min.js" \
    > static/vendor/openseadragon/openseadragon.min.js
cp "$modules/openseadragon/LICENSE.txt" static/vendor/openseadragon/LICENSE

echo "static/vendor and static/img/icons.svg are up to date."
