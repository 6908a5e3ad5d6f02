package dev.caisson.scan.git;

import java.io.IOException;
import java.io.Serial;

/// A file of a repository that is damaged, too large, or of a format that is not read here.
final class GitFormatException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    GitFormatException(String message) {
        super(message);
    }
}
