package dev.caisson.engine;

/// Flags of a request to a file service, `enum files_flag` of `native/files.h`.
final class FileFlags {
    static final int FOLLOW_ABOVE = 1;
    static final int FOLLOW = 2;
    static final int REPLACE = 8;
    static final int RECURSIVE = 16;
    static final int PARENTS = 32;
    static final int OWNER = 64;
    static final int MODE = 128;
    static final int TIME = 256;
    static final int DATA = 512;

    private FileFlags() {}
}
