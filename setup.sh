# Source this from the project's folder: `. ./setup.sh`.  It leaves uv and FFmpeg ready, or says what is missing.

PATH="$PWD/.uv/bin:$PATH"
export PATH

cante_get_uv() {
    command -v uv >/dev/null 2>&1 && return 0
    echo "setup: installing uv into .uv" >&2
    # --target: works in a Python that the system manages, and leaves that one alone.
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
        --target .uv uv && command -v uv >/dev/null 2>&1 && return 0
    echo "setup: uv is missing and pip could not install it: see https://docs.astral.sh/uv" >&2
    return 1
}

cante_as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then sudo -n "$@"
    else return 1
    fi
}

cante_install_ffmpeg() {
    if command -v apt-get >/dev/null 2>&1; then
        cante_as_root apt-get update -qq && cante_as_root apt-get install -y -qq ffmpeg
    elif command -v dnf >/dev/null 2>&1; then cante_as_root dnf install -y -q ffmpeg-free
    elif command -v pacman >/dev/null 2>&1; then cante_as_root pacman -Sy --noconfirm ffmpeg
    elif command -v apk >/dev/null 2>&1; then cante_as_root apk add -q ffmpeg
    elif command -v brew >/dev/null 2>&1; then brew install --quiet ffmpeg
    else return 1
    fi
}

cante_install_chromium() {
    if command -v apt-get >/dev/null 2>&1; then
        cante_as_root apt-get update -qq && cante_as_root apt-get install -y -qq chromium
    elif command -v dnf >/dev/null 2>&1; then cante_as_root dnf install -y -q chromium
    elif command -v pacman >/dev/null 2>&1; then cante_as_root pacman -Sy --noconfirm chromium
    elif command -v apk >/dev/null 2>&1; then cante_as_root apk add -q chromium
    elif command -v brew >/dev/null 2>&1; then brew install --quiet --cask chromium
    else return 1
    fi
}

# Only the tests need it: of a store for a team.
cante_get_postgres() {
    for path in /usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb; do
        [ -x "$path" ] && return 0
    done
    command -v initdb >/dev/null 2>&1 && return 0
    echo "setup: installing PostgreSQL with the system's package manager" >&2
    if command -v apt-get >/dev/null 2>&1; then
        cante_as_root apt-get update -qq && cante_as_root apt-get install -y -qq postgresql >/dev/null
    elif command -v dnf >/dev/null 2>&1; then cante_as_root dnf install -y -q postgresql-server
    elif command -v brew >/dev/null 2>&1; then brew install --quiet postgresql
    else false
    fi && return 0
    echo "setup: PostgreSQL could not be installed here: install the package 'postgresql'" >&2
    return 1
}

# Only the tests need it: pages are opened as a person opens them.
cante_get_chromium() {
    for name in chromium chromium-browser google-chrome; do
        command -v "$name" >/dev/null 2>&1 && return 0
    done
    echo "setup: installing Chromium with the system's package manager" >&2
    cante_install_chromium >/dev/null && command -v chromium >/dev/null 2>&1 && return 0
    echo "setup: Chromium is missing and could not be installed here: the tests need it" >&2
    return 1
}

cante_get_ffmpeg() {
    command -v ffmpeg >/dev/null 2>&1 && return 0
    echo "setup: installing FFmpeg with the system's package manager" >&2
    cante_install_ffmpeg >/dev/null && command -v ffmpeg >/dev/null 2>&1 && return 0
    echo "setup: FFmpeg is missing and could not be installed here: install the package 'ffmpeg'" >&2
    return 1
}

cante_get_uv && cante_get_ffmpeg
