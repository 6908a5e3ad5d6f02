package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.image.registry.RegistryClient.Blob;
import dev.caisson.image.registry.RegistryException;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.Optional;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/// Fetches one blob into the store: goes on where an earlier try was cut, hashes while it writes, and gives the blob
/// its name when size and digest are right. Two who want the same one wait for one download.
final class BlobDownload {
    /// Where a blob comes from.
    @FunctionalInterface
    interface Source {
        /// Begins at byte `from`, or at the start if the source can do no other.
        Blob open(long from);
    }

    private static final String PARTIAL = ".partial";
    private static final int MOST_FRUITLESS = 3;
    /// The most breaks of a small blob; a larger one may have one more for each of its mebibytes, so that a source that
    /// gives some bytes and hangs up cannot hold a pull for ever.
    private static final int MOST_BREAKS = 32;
    private static final long BYTES_A_BREAK = 1 << 20;
    private static final int BUFFER = 128 << 10;
    private static final long WAIT_MILLIS = 50;

    private final ContentStore store;
    private final Descriptor wanted;
    private final Source source;
    private final LongConsumer progress;

    /// @param progress told how many bytes of the blob are there
    BlobDownload(ContentStore store, Descriptor wanted, Source source, LongConsumer progress) {
        this.store = store;
        this.wanted = wanted;
        this.source = source;
        this.progress = progress;
    }

    /// @throws ImageException DIGEST_MISMATCH if what comes is not what was asked for
    void run() throws IOException {
        if (store.has(wanted)) {
            progress.accept(wanted.size());
            return;
        }
        int flags = FileSystem.O_RDWR | FileSystem.O_CREAT;
        String partial = wanted.digest().hex() + PARTIAL;
        boolean isThere = false;
        while (!isThere) {
            try (Fd file = FileSystem.openAt(store.blobs(), partial, flags, 0600, FileSystem.RESOLVE_NO_SYMLINKS)) {
                waitForLock(file);
                if (!store.has(wanted) && isNamed(file, partial)) {
                    fetch(file, partial);
                }
                isThere = store.has(wanted);
            }
        }
        progress.accept(wanted.size());
    }

    /// False if whoever had the lock before has renamed the file or thrown it away meanwhile.
    private boolean isNamed(Fd file, String name) {
        Optional<Fd> found = FileSystem.find(store.blobs(), name, FileSystem.O_PATH, FileSystem.RESOLVE_NO_SYMLINKS);
        if (found.isEmpty()) {
            return false;
        }
        try (Fd named = found.orElseThrow()) {
            return FileSystem.status(named).inode() == FileSystem.status(file).inode();
        }
    }

    private void waitForLock(Fd file) {
        try {
            while (!FileLocks.tryLock(file)) {
                Thread.sleep(WAIT_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw StoreFailures.interrupted("the part " + wanted.digest(), e);
        }
    }

    private void fetch(Fd file, String partial) throws IOException {
        boolean resumed = FileSystem.status(file).size() > 0;
        if (!isComplete(file) && !(resumed && isRestarted(file))) {
            FileSystem.removeFile(store.blobs(), partial);
            throw new ImageException(
                    Code.DIGEST_MISMATCH,
                    "what the registry gives for " + wanted.digest()
                            + " is not what its digest says; it was thrown away, try again or another registry");
        }
        FileSystem.synchronize(file);
        FileSystem.rename(store.blobs(), partial, store.blobs(), wanted.digest().hex(), true);
        FileSystem.synchronize(store.blobs());
    }

    private boolean isRestarted(Fd file) throws IOException {
        FileContent.resize(file, 0);
        return isComplete(file);
    }

    /// Fetches what is missing. False if the whole is not what the digest says.
    private boolean isComplete(Fd file) throws IOException {
        long size = FileSystem.status(file).size();
        MessageDigest hash = Digest.algorithm();
        long done = hashed(file, size, hash);
        long furthest = done;
        int fruitless = 0;
        long breaks = 0;
        long most = MOST_BREAKS + wanted.size() / BYTES_A_BREAK;
        while (done < wanted.size()) {
            try (Blob blob = source.open(done)) {
                if (blob.from() != done) {
                    FileContent.resize(file, 0);
                    hash.reset();
                    done = 0;
                }
                done = copy(blob.content(), file, done, hash);
            } catch (CutException e) {
                done = e.done;
                if (done > furthest) {
                    furthest = done;
                    fruitless = 0;
                } else {
                    fruitless++;
                }
                if (fruitless == MOST_FRUITLESS || ++breaks > most) {
                    throw RegistryException.cut(e);
                }
            }
        }
        return Digest.finish(hash.digest()).equals(wanted.digest());
    }

    private static long hashed(Fd file, long size, MessageDigest hash) {
        byte[] buffer = new byte[BUFFER];
        long done = 0;
        while (done < size) {
            int count = FileContent.readAt(file, buffer, done);
            if (count <= 0) {
                throw new ErrnoException("pread", Errno.EIO);
            }
            hash.update(buffer, 0, count);
            done += count;
        }
        return done;
    }

    private long copy(InputStream in, Fd file, long from, MessageDigest hash) throws CutException {
        byte[] buffer = new byte[BUFFER];
        long done = from;
        try {
            while (done < wanted.size()) {
                int count = in.read(buffer, 0, (int) Math.min(buffer.length, wanted.size() - done));
                if (count < 0) {
                    throw new CutException("it ended after " + done + " of " + wanted.size() + " bytes", null, done);
                }
                FileContent.writeAt(file, buffer, 0, count, done);
                hash.update(buffer, 0, count);
                done += count;
                progress.accept(done);
            }
            return done;
        } catch (CutException e) {
            throw e;
        } catch (IOException e) {
            throw new CutException(String.valueOf(e.getMessage()), e, done);
        }
    }

    /// A download that broke off.
    private static final class CutException extends IOException {
        private static final long serialVersionUID = 1L;
        private final long done;

        CutException(String why, @Nullable Throwable cause, long done) {
            super(why, cause);
            this.done = done;
        }
    }
}
