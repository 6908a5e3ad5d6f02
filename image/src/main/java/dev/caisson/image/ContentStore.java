package dev.caisson.image;

import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/// What was pulled: blobs by their digests and the list of images, an OCI layout that other tools can read. A blob is
/// complete from the moment it has its name. Shared by all processes of the host; a lock guards the list, another one
/// keeps blobs that an unfinished pull has fetched and no image names yet.
final class ContentStore implements AutoCloseable {
    private static final String DIRECTORY = "content";
    private static final String LIST_LOCK = "lock";
    private static final String PULLS_LOCK = "pulls";
    private static final String VERSION_FILE = "oci-layout";
    private static final String VERSION = "{\"imageLayoutVersion\":\"1.0.0\"}";

    private final Path path;
    private final Fd directory;
    private final Fd blobs;

    private ContentStore(Path path, Fd directory, Fd blobs) {
        this.path = path;
        this.directory = directory;
        this.blobs = blobs;
    }

    /// @param path of `parent`, free of links
    static ContentStore open(Path path, Fd parent) {
        Fd directory = FileSystem.openOrMakeDirectory(parent, DIRECTORY, 0700);
        try (Fd all = FileSystem.openOrMakeDirectory(directory, "blobs", 0700)) {
            Fd blobs = FileSystem.openOrMakeDirectory(all, "sha256", 0700);
            var store = new ContentStore(path.resolve(DIRECTORY), directory, blobs);
            store.writeVersion();
            return store;
        } catch (RuntimeException e) {
            directory.close();
            throw e;
        }
    }

    private void writeVersion() {
        if (FileSystem.find(directory, VERSION_FILE, FileSystem.O_PATH, FileSystem.RESOLVE_NO_SYMLINKS)
                .map(ContentStore::closed)
                .isPresent()) {
            return;
        }
        int flags = FileSystem.O_WRONLY | FileSystem.O_CREAT;
        try (Fd file = FileSystem.openAt(directory, VERSION_FILE, flags, 0600, FileSystem.RESOLVE_NO_SYMLINKS)) {
            FileSystem.write(file, VERSION.getBytes(StandardCharsets.UTF_8));
        }
    }

    private static boolean closed(Fd file) {
        file.close();
        return true;
    }

    // ---- the list

    List<StoredImage> images() {
        return ContentIndex.read(directory);
    }

    Optional<StoredImage> find(ImageReference reference) {
        return images().stream().filter(image -> image.isNamed(reference)).findFirst();
    }

    /// Reads an image's manifest and configuration, and gives them to `use`, while which its layers can be opened.
    <T> T read(StoredImage image, Function<PackedImage, T> use) throws IOException {
        try (var reader = known()) {
            return use.apply(reader.read(descriptor(image)));
        }
    }

    ImageDescription describe(StoredImage image) throws IOException {
        try (var reader = known()) {
            return reader.describe(descriptor(image));
        }
    }

    ManifestDocument.Manifest manifest(StoredImage image) throws IOException {
        try (var reader = known()) {
            return reader.manifestOf(descriptor(image));
        }
    }

    /// Returns the configuration as it lies there.
    byte[] config(StoredImage image) throws IOException {
        try (var reader = known()) {
            return reader.configOf(descriptor(image)).content();
        }
    }

    PackedConfig packedConfig(StoredImage image) throws IOException {
        try (var reader = known()) {
            return reader.configOf(descriptor(image)).config();
        }
    }

    /// Returns the statements about an image that are in its index.
    List<byte[]> statements(StoredImage image) throws IOException {
        var statements = new ArrayList<byte[]>();
        if (image.index().isPresent()) {
            try (var reader = known()) {
                for (Descriptor part : reader.statements(image.index().get()).blobs()) {
                    if (part.mediaType().equals(StatementWriter.IN_TOTO)) {
                        statements.add(reader.document(part));
                    }
                }
            }
        }
        return statements;
    }

    /// Returns what is of an image beside its configuration and layers: its manifest, and what its index names.
    List<Descriptor> beside(StoredImage image) throws IOException {
        var beside = new ArrayList<Descriptor>();
        beside.add(descriptor(image));
        if (image.index().isPresent()) {
            try (var reader = known()) {
                beside.addAll(reader.statements(image.index().get()).all());
            }
        }
        return beside;
    }

    /// Gives what is [#beside] an image to `use`.
    void readBeside(StoredImage image, BlobUse use) throws IOException {
        try (var reader = known()) {
            for (Descriptor blob : beside(image)) {
                try (FileSlice content = reader.content(blob)) {
                    use.blob(blob.digest(), blob.size(), content);
                }
            }
        }
    }

    static Descriptor descriptor(StoredImage image) {
        return new Descriptor(image.mediaType(), image.manifest(), image.manifestSize(), Optional.empty(), Map.of());
    }

    /// Adds an image. One that had its name before stays without one. An image that has its name already stays
    /// where it is on the list, with the time at which it got it.
    void add(StoredImage added) {
        change(images -> {
            if (added.tag().isPresent() && images.stream().anyMatch(added::isSameButForTime)) {
                return images;
            }
            var after = new ArrayList<StoredImage>();
            for (StoredImage image : images) {
                boolean hadName = image.tag().isPresent()
                        && image.repository().equals(added.repository())
                        && image.tag().equals(added.tag());
                boolean isSame = image.manifest().equals(added.manifest())
                        && image.repository().equals(added.repository())
                        && (hadName || image.tag().isEmpty());
                if (!isSame) {
                    after.add(hadName ? image.withoutTag() : image);
                }
            }
            after.add(added);
            return after;
        });
    }

    /// Takes images off the list, and their blobs away unless others name them or a pull is on.
    void remove(Set<StoredImage> removed) {
        change(images ->
                images.stream().filter(image -> !removed.contains(image)).toList());
    }

    /// Takes an image's name, and leaves the image.
    void untag(StoredImage image) {
        change(images -> {
            var after = new LinkedHashSet<StoredImage>();
            images.forEach(one -> after.add(one.equals(image) ? one.withoutTag() : one));
            return List.copyOf(after);
        });
    }

    private void change(UnaryOperator<List<StoredImage>> change) {
        try (Fd lock = lockFile(LIST_LOCK)) {
            FileLocks.lock(lock);
            List<StoredImage> before = images();
            List<StoredImage> after = change.apply(before);
            if (after.equals(before)) {
                return;
            }
            ContentIndex.write(directory, after);
            if (!new HashSet<>(after).containsAll(before)) {
                removeUnnamed(after);
            }
        }
    }

    private Fd lockFile(String name) {
        return FileSystem.openAt(
                directory, name, FileSystem.O_RDWR | FileSystem.O_CREAT, 0600, FileSystem.RESOLVE_NO_SYMLINKS);
    }

    // ---- blobs

    /// Keeps all blobs until it is closed: what a pull has fetched is named by no image before its end.
    Fd keepBlobs() {
        Fd lock = lockFile(PULLS_LOCK);
        try {
            FileLocks.lockShared(lock);
            return lock;
        } catch (RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    Fd blobs() {
        return blobs;
    }

    /// Returns the bytes of each blob, by its name.
    Map<String, Long> sizes() {
        var sizes = new HashMap<String, Long>();
        for (String name : DirectoryEntries.of(blobs)) {
            FileSystem.findStatus(blobs, name).ifPresent(status -> sizes.put(name, status.size())); // else it is gone
        }
        return sizes;
    }

    boolean has(Descriptor blob) {
        Optional<Fd> found =
                FileSystem.find(blobs, blob.digest().hex(), FileSystem.O_PATH, FileSystem.RESOLVE_NO_SYMLINKS);
        if (found.isEmpty()) {
            return false;
        }
        try (Fd file = found.orElseThrow()) {
            return FileSystem.status(file).size() == blob.size();
        }
    }

    /// Removes blobs of no image: an addition that failed or needed less than it wrote has left them, or a process
    /// that was killed.
    void removeLeft() {
        try (Fd lock = lockFile(LIST_LOCK)) {
            FileLocks.lock(lock);
            removeUnnamed(images());
        }
    }

    /// Opens the file of a blob.
    FileChannel open(Descriptor blob) throws IOException {
        return FileChannel.open(
                path.resolve("blobs/sha256").resolve(blob.digest().hex()), StandardOpenOption.READ);
    }

    /// Opens the layout for reading what this process may have read before.
    private OciLayoutReader known() {
        return new OciLayoutReader(path, true);
    }

    /// Opens the layout for reading; every document is compared with its digest.
    OciLayoutReader reader() {
        return new OciLayoutReader(path);
    }

    private void removeUnnamed(List<StoredImage> images) {
        try (Fd lock = lockFile(PULLS_LOCK)) {
            if (!FileLocks.tryLock(lock)) {
                return; // the next removal does it
            }
            Set<String> named;
            try {
                named = named(images);
            } catch (ImageException e) {
                return; // one is damaged, and nobody knows which blobs are its own: all stay until it goes
            }
            for (String name : DirectoryEntries.of(blobs)) {
                if (!named.contains(name)) {
                    FileSystem.removeFile(blobs, name);
                }
            }
        }
    }

    /// Removes the layers of images that no other image has, unless a pull is on. The images are damaged then.
    void removeLayers(Set<StoredImage> images) throws IOException {
        try (Fd list = lockFile(LIST_LOCK);
                Fd pulls = lockFile(PULLS_LOCK)) {
            FileLocks.lock(list);
            if (!FileLocks.tryLock(pulls)) {
                return;
            }
            Set<String> named = named(
                    images().stream().filter(image -> !images.contains(image)).toList());
            for (StoredImage image : images) {
                for (Descriptor layer : manifest(image).layers()) {
                    String name = layer.digest().hex();
                    if (!named.contains(name)
                            && FileSystem.findStatus(blobs, name).isPresent()) {
                        FileSystem.removeFile(blobs, name);
                    }
                }
            }
        }
    }

    private Set<String> named(List<StoredImage> images) {
        var named = new HashSet<String>();
        try (var reader = known()) {
            for (StoredImage image : images) {
                reader.blobs(descriptor(image)).forEach(digest -> named.add(digest.hex()));
                beside(image).forEach(blob -> named.add(blob.digest().hex()));
            }
            return named;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        directory.close();
        blobs.close();
    }
}
