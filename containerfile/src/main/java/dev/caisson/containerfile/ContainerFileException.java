package dev.caisson.containerfile;

import java.io.Serial;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A container file that cannot be read, parsed or resolved: a code, a sentence, and the place where there is one.
public final class ContainerFileException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final FileError error;
    private final transient @Nullable Place place;

    public ContainerFileException(FileError error, Place place, String message) {
        super(message);
        this.error = error;
        this.place = place;
    }

    public ContainerFileException(FileError error, String message) {
        super(message);
        this.error = error;
        this.place = null;
    }

    public ContainerFileException(FileError error, String message, Throwable cause) {
        super(message, cause);
        this.error = error;
        this.place = null;
    }

    public FileError error() {
        return error;
    }

    /// The sentence alone; [#getMessage] has code and place before it.
    public String sentence() {
        String message = super.getMessage();
        return message == null ? "" : message;
    }

    public Optional<Place> place() {
        return Optional.ofNullable(place);
    }

    @Override
    public String getMessage() {
        String where = place == null ? "" : place + " ";
        return where + error.code() + ": " + sentence();
    }
}
