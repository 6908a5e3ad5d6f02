package dev.caisson.image.zstd;

import dev.caisson.error.CaissonException;

/// A zstd stream that cannot be decoded.
public final class ZstdException extends CaissonException {
    private static final long serialVersionUID = 1L;

    /// The reason why it cannot be decoded.
    public enum Reason {
        /// The stream is cut off or breaks the format.
        DAMAGED,
        /// The stream needs a dictionary.
        DICTIONARY,
        /// The stream needs more memory than is granted.
        WINDOW_TOO_LARGE
    }

    private final Reason reason;

    ZstdException(Reason reason, String sentence) {
        super(reason.name(), sentence);
        this.reason = reason;
    }

    static ZstdException damaged(String what) {
        return new ZstdException(
                Reason.DAMAGED,
                "the image has a layer whose zstd data is damaged (" + what + "); fetch the image again");
    }

    public Reason reason() {
        return reason;
    }

    @Override
    public int httpStatus() {
        return 400;
    }
}
