package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.image.registry.RegistryException;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedByInterruptException;

/// Says what a failure below the store means for an image.
final class StoreFailures {
    /// Registry of the images that hold results of build steps, which no list shows.
    private static final String OF_BUILDS = "caisson.local/";

    private StoreFailures() {}

    @FunctionalInterface
    interface Action<T> {
        T run() throws IOException;
    }

    /// Returns true if a channel was closed because this thread was interrupted, which it then still is.
    static boolean isInterrupt(Exception e) {
        Throwable cause = e instanceof UncheckedIOException unchecked ? unchecked.getCause() : e;
        return cause instanceof ClosedByInterruptException || cause instanceof InterruptedIOException;
    }

    static ImageException interrupted(String image, Exception cause) {
        return new ImageException(
                Code.INTERRUPTED,
                "the work with " + image + " was interrupted, and the store is as before: do it again",
                cause);
    }

    static boolean isFull(ErrnoException e) {
        return e.is(Errno.ENOSPC) || e.is(Errno.EDQUOT);
    }

    /// Runs `action`, and says what a failure below means for the image.
    static <T> T guarded(String name, Action<T> action) {
        String image = name.startsWith(OF_BUILDS) ? "a result of the build" : name;
        try {
            return action.run();
        } catch (IOException | UncheckedIOException e) {
            if (isInterrupt(e)) {
                throw interrupted(image, e);
            }
            throw new ImageException(
                    Code.BAD_ARCHIVE,
                    image + " cannot be read (" + e.getMessage() + "); fetch or build the image again",
                    e);
        } catch (RegistryException e) {
            throw e.getCause() instanceof InterruptedException ? interrupted(image, e) : e;
        } catch (OutOfMemoryError e) {
            throw new ImageException(
                    Code.TOO_LARGE,
                    image + " needs more heap than there is; give the JVM more memory (-Xmx) if it is to be trusted",
                    e);
        } catch (ErrnoException e) {
            if (isFull(e)) {
                throw new ImageException(
                        Code.STORE_FULL,
                        "the image store has no room for " + image + " (" + Errno.name(e.errno())
                                + "); make room in the data directory, or use another one (CAISSON_DATA for the command)",
                        e);
            }
            throw new ImageException(
                    Code.STORE_REFUSED,
                    "the kernel refused a step while " + image + " was made ready: " + e.getMessage(),
                    e);
        }
    }
}
