package dev.caisson.build;

import dev.caisson.containerfile.Place;
import dev.caisson.error.CaissonException;
import java.io.Serial;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A build that cannot go on: a code, a sentence, and the place in the Dockerfile where there is one.
public final class BuildException extends CaissonException {
    /// Exit status of a build that failed, as Docker's.
    public static final int EXIT_FAILED = 1;

    private static final int BAD_REQUEST = 400;

    @Serial
    private static final long serialVersionUID = 1L;

    private final transient @Nullable Place place;

    BuildException(String code, String sentence) {
        super(code, sentence);
        this.place = null;
    }

    BuildException(String code, Place place, String sentence) {
        super(code, sentence);
        this.place = place;
    }

    BuildException(String code, @Nullable Place place, String sentence, Throwable cause) {
        super(code, sentence, cause);
        this.place = place;
    }

    /// Returns the place in the Dockerfile, if the failure has one.
    @SuppressWarnings("exports") // for Caisson's own modules
    public Optional<Place> place() {
        return Optional.ofNullable(place);
    }

    /// The sentence without the place, for a caller that shows the place itself.
    public String problem() {
        return super.sentence();
    }

    @Override
    public String sentence() {
        return place == null ? problem() : place + ": " + problem();
    }

    @Override
    public int exitStatus() {
        return EXIT_FAILED;
    }

    @Override
    public int httpStatus() {
        return BAD_REQUEST;
    }
}
