# What the tests of the packages share. Sourced in the project's folder.
# shellcheck shell=bash
# shellcheck disable=SC2034  # used by those who source it

OUT=$PWD/target/deb
WORK=$PWD/target/test-deb
VERSION=$(dpkg-parsechangelog -S Version 2>/dev/null || sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog)
ARCH=$(dpkg --print-architecture)
DEB=$OUT/splynx-bitpay_${VERSION}_$ARCH.deb
DEMO_DEB=$OUT/splynx-bitpay-demo_${VERSION}_$ARCH.deb

say() { printf '== %s\n' "$*"; }

fail() {
    printf '!! %s\n' "$*" >&2
    exit 1
}

require_packages() {
    if [ ! -f "$DEB" ] || [ ! -f "$DEMO_DEB" ]; then
        fail "no packages of version $VERSION in $OUT: make deb"
    fi
}

# The image of a bare system, made once: image SUITE NAME PACKAGES -> prints the tar file.
image() {
    local suite=$1 tar=$WORK/$2.tar list=$WORK/$2.packages
    shift 2
    if [ ! -f "$tar" ] || [ "$*" != "$(cat "$list" 2>/dev/null)" ]; then
        say "mmdebstrap $suite" >&2
        local include
        include=$(IFS=,; echo "$*")
        mmdebstrap --quiet --format=tar --variant=apt --include="$include" \
            --aptopt='Acquire::Languages "none"' --aptopt='Acquire::Check-Valid-Until "false"' \
            "$suite" "$tar.new" >&2 || return
        mv "$tar.new" "$tar"
        echo "$*" >"$list"
    fi
    echo "$tar"
}

# Another version of the packages with the same program, for upgrades and downgrades without building again:
# variant VERSION [COMMAND…] -> target/test-deb/variants/VERSION/*.deb; COMMAND may change the unpacked package, whose
# folder it gets as its last argument.
variant() {
    local version=$1 folder=$WORK/variants/$1 deb tree
    shift
    rm -rf "$folder"
    mkdir -p "$folder"
    for deb in "$DEB" "$DEMO_DEB"; do
        tree=$folder/tree
        rm -rf "$tree"
        dpkg-deb -R "$deb" "$tree"
        sed -i "s/^Version: .*/Version: $version/; s/(= $VERSION)/(= $version)/" "$tree/DEBIAN/control"
        [ $# -eq 0 ] || [ ! -e "$tree/usr/bin/splynx-bitpay" ] || "$@" "$tree"
        (cd "$tree" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
        dpkg-deb --root-owner-group -Zgzip -z1 -b "$tree" \
            "$folder/$(basename "$deb" | sed "s/_${VERSION}_/_${version}_/")" >/dev/null
    done
    rm -rf "$tree"
}
