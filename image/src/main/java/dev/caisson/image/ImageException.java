package dev.caisson.image;

import dev.caisson.error.CodedException;
import dev.caisson.error.ErrorCode;

/// An image that cannot be used: a stable code for programs, and a sentence that tells people what to do.
public final class ImageException extends CodedException {
    private static final long serialVersionUID = 1L;

    /// The kind of failure. The names are stable: programs may compare them.
    public enum Code implements ErrorCode {
        /// An image name that is not of a known form.
        BAD_NAME(400),
        /// The path or reference that the image was named by does not exist.
        NOT_FOUND(404),
        NOT_A_DIRECTORY(400),
        /// Another directory stands where the image's layer was when it was resolved.
        LAYER_CHANGED(409),
        /// A user or group that is not written as Docker's `user[:group]`.
        BAD_USER(400),
        /// An id that a container, which has 65,536 of them, cannot have.
        ID_OUT_OF_RANGE(400),
        UNKNOWN_USER(400),
        UNKNOWN_GROUP(400),
        /// A number that the image also uses as the name of an account with another id.
        AMBIGUOUS_USER(400),
        /// The image's /etc/passwd or /etc/group cannot be trusted to say who somebody is.
        BAD_ACCOUNT_FILE(400),
        /// A tar archive or compressed stream that is cut off or breaks its format.
        BAD_ARCHIVE(400),
        /// Something in the archive that would be unsafe, or that a container never needs.
        UNSAFE_ENTRY(400),
        /// A well-formed archive in a format that is not read here.
        UNSUPPORTED_FORMAT(400),
        /// More bytes, entries or names than an image may have.
        TOO_LARGE(400),
        /// A manifest, index or configuration that cannot be read, or that says two things at once.
        BAD_MANIFEST(400),
        /// Content that is not what its digest or size says.
        DIGEST_MISMATCH(400),
        /// Several images where one was meant.
        AMBIGUOUS_REFERENCE(400),
        /// No image for the platform that runs here, or that was asked for.
        PLATFORM_MISSING(404),
        /// An image for another machine, whose programs nothing on this host interprets.
        PLATFORM_FOREIGN(400),
        /// The thread was interrupted, and still is; the store is as before.
        INTERRUPTED(503),
        /// The store's directory cannot be used; [#getCause] tells what the kernel refused.
        STORE_REFUSED(500),
        /// No room, or no files, left where the store lies.
        STORE_FULL(507),
        SNAPSHOT_UNKNOWN(404),
        SNAPSHOT_EXISTS(409),
        /// A container, or another snapshot, is made of it.
        SNAPSHOT_IN_USE(409),
        /// A snapshot whose record cannot be read, or that lacks what is below it.
        SNAPSHOT_DAMAGED(500),
        TOO_MANY_SNAPSHOTS(409);

        private final int httpStatus;

        Code(int httpStatus) {
            this.httpStatus = httpStatus;
        }

        @Override
        public int httpStatus() {
            return httpStatus;
        }
    }

    public ImageException(Code reason, String sentence) {
        super(reason, sentence);
    }

    public ImageException(Code reason, String sentence, Throwable cause) {
        super(reason, sentence, cause);
    }

    @Override
    public Code reason() {
        return (Code) super.reason();
    }
}
