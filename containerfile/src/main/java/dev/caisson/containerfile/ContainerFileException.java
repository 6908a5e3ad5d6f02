package dev.caisson.containerfile;

import dev.caisson.error.CaissonException;
import java.io.Serial;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A container file that cannot be read, parsed or resolved: a code, a sentence, and the place where there is one.
public final class ContainerFileException extends CaissonException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final FileError error;
    private final transient @Nullable Place place;

    public ContainerFileException(FileError error, Place place, String message) {
        super(error.code(), message);
        this.error = error;
        this.place = place;
    }

    public ContainerFileException(FileError error, String message) {
        super(error.code(), message);
        this.error = error;
        this.place = null;
    }

    public ContainerFileException(FileError error, String message, Throwable cause) {
        super(error.code(), message, cause);
        this.error = error;
        this.place = null;
    }

    public FileError error() {
        return error;
    }

    /// The sentence without the place, for a caller that shows the place itself.
    public String problem() {
        String message = super.getMessage();
        return message == null ? "" : message;
    }

    /// The place, if it is known, and the sentence; [#getMessage] has the code before it.
    @Override
    public String sentence() {
        return place == null ? problem() : place + ": " + problem();
    }

    @Override
    public int httpStatus() {
        return error == FileError.FILE_MISSING ? 404 : 400;
    }

    public Optional<Place> place() {
        return Optional.ofNullable(place);
    }

    @Override
    public String getMessage() {
        String where = place == null ? "" : place + " ";
        return where + error.code() + ": " + problem();
    }
}
