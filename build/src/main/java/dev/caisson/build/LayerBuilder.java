package dev.caisson.build;

import dev.caisson.build.FileTree.Node;
import dev.caisson.containerfile.Place;
import dev.caisson.image.TarWriter;
import dev.caisson.image.TarWriter.Attributes;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileStatus;
import dev.caisson.text.Quoted;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Collects the files of a new layer above the files of an image, and writes them as an archive. Nothing is written
/// into the image: a path that goes there is followed as a program in the image would follow it, and stands in the
/// archive without any link in it.
final class LayerBuilder {
    private static final int DIRECTORY_MODE = 0755;
    private static final int LINK_MODE = 0777;
    private static final int BUFFER = 1 << 16;
    private static final String WHITEOUT = ".wh.";

    private final FileTree image;
    private final Place place;
    private final TreeMap<String, Entry> entries = new TreeMap<>();

    /// The owner of something new.
    record Owner(int uid, int gid) {
        static final Owner ROOT = new Owner(0, 0);
    }

    /// A file of the layer.
    sealed interface Entry {
        Attributes attributes();

        record Directory(Attributes attributes) implements Entry {}

        record Link(String target, Attributes attributes) implements Entry {}

        record Text(String content, Attributes attributes) implements Entry {}

        /// A file of a tree.
        /// @param digest of the content that the layer must have
        record Copied(FileTree tree, Node node, String digest, Attributes attributes) implements Entry {}

        /// A file of the build's own, as one that was fetched.
        record Own(Path file, long size, Attributes attributes) implements Entry {}
    }

    /// A file with several names: those that are copied alike stay names of one file.
    private record Shared(FileTree tree, long fileSystem, long inode, int mode, int uid, int gid) {
        static Optional<Shared> of(Entry entry) {
            if (!(entry instanceof Entry.Copied copied)
                    || copied.node().status().links() < 2) {
                return Optional.empty();
            }
            FileStatus status = copied.node().status();
            Attributes to = copied.attributes();
            return Optional.of(
                    new Shared(copied.tree(), status.fileSystem(), status.inode(), to.mode(), to.uid(), to.gid()));
        }
    }

    /// The kind of what is at a path.
    enum Kind {
        NOTHING,
        DIRECTORY,
        OTHER
    }

    /// @param image the files below the layer
    /// @param place of the instruction, for errors
    LayerBuilder(FileTree image, Place place) {
        this.image = image;
        this.place = place;
    }

    /// Returns the files below the layer.
    FileTree image() {
        return image;
    }

    boolean isEmpty() {
        return entries.isEmpty();
    }

    /// Follows a path of the image.
    /// @return it without links, from the root, without a slash at its beginning
    String follow(String path) {
        return image.resolve(path).path();
    }

    /// Returns what is at a path without links, in the layer or below it.
    Kind kind(String path) {
        Entry entry = entries.get(path);
        if (entry != null) {
            return entry instanceof Entry.Directory ? Kind.DIRECTORY : Kind.OTHER;
        }
        Optional<FileStatus> status = path.isEmpty() ? Optional.of(image.root().status()) : image.status(path);
        return status.map(found -> found.isDirectory() ? Kind.DIRECTORY : Kind.OTHER)
                .orElse(Kind.NOTHING);
    }

    /// Makes a directory and those above it, unless they are there.
    /// @throws BuildException BUILD_COPY_CONFLICT, LAYER_NAME
    void directories(String path, Owner owner, Instant time) {
        if (path.isEmpty()) {
            return;
        }
        int slash = path.lastIndexOf('/');
        directories(slash < 0 ? "" : path.substring(0, slash), owner, time);
        if (entries.get(path) instanceof Entry.Directory) {
            return;
        }
        switch (kind(path)) {
            case OTHER -> throw conflict(path, "is no directory");
            case DIRECTORY -> entries.put(path, existing(path));
            case NOTHING -> {
                requireName(path);
                entries.put(path, new Entry.Directory(new Attributes(DIRECTORY_MODE, owner.uid(), owner.gid(), time)));
            }
        }
    }

    /// An archive names the directories above a file too, so that they stay as they are.
    private Entry existing(String path) {
        FileStatus status = image.status(path).orElseThrow(() -> conflict(path, "is gone"));
        return new Entry.Directory(new Attributes(status.permissions(), status.uid(), status.gid(), status.modified()));
    }

    /// Puts a file to a path, whose directory is made.
    /// @throws BuildException BUILD_COPY_CONFLICT, LAYER_NAME
    void put(String path, Entry entry, Owner owner, Instant time) {
        int slash = path.lastIndexOf('/');
        directories(slash < 0 ? "" : path.substring(0, slash), owner, time);
        requireName(path);
        boolean directory = entry instanceof Entry.Directory;
        Kind there = kind(path);
        if (there == Kind.DIRECTORY && !directory) {
            throw conflict(path, "is a directory, and what is copied there is none");
        }
        if (there == Kind.OTHER && directory) {
            throw conflict(path, "is no directory, and what is copied there is one");
        }
        entries.put(path, entry);
    }

    /// A name that marks what a layer deletes (OCI image specification, layer.md) would delete, not copy.
    private void requireName(String path) {
        if (path.startsWith(WHITEOUT, path.lastIndexOf('/') + 1)) {
            throw new BuildException(
                    "LAYER_NAME",
                    place,
                    Quoted.of("/" + path) + " cannot be in an image layer, where " + WHITEOUT
                            + " marks what was deleted: rename it, or leave it out");
        }
    }

    private BuildException conflict(String path, String what) {
        return new BuildException(
                "BUILD_COPY_CONFLICT", place, "/" + path + " of the image " + what + ": choose another destination");
    }

    /// Writes the archive.
    /// @param latest time that no file is younger than
    void write(OutputStream archive, Optional<Instant> latest) throws IOException {
        var tar = new TarWriter(archive);
        var written = new HashMap<Shared, String>();
        for (Map.Entry<String, Entry> entry : entries.entrySet()) {
            Optional<String> first = Shared.of(entry.getValue())
                    .flatMap(shared -> Optional.ofNullable(written.putIfAbsent(shared, entry.getKey())));
            if (first.isPresent()) {
                tar.hardLink(
                        entry.getKey(), first.get(), clamped(entry.getValue().attributes(), latest));
            } else {
                write(tar, entry.getKey(), entry.getValue(), latest);
            }
        }
        tar.finish();
    }

    private static Attributes clamped(Attributes attributes, Optional<Instant> latest) {
        Instant time = attributes.modified();
        Instant seconds = Instant.ofEpochSecond(time.getEpochSecond());
        Instant kept = latest.filter(last -> last.isBefore(seconds)).orElse(seconds);
        return new Attributes(attributes.mode(), attributes.uid(), attributes.gid(), kept, attributes.extended());
    }

    private static void write(TarWriter tar, String path, Entry entry, Optional<Instant> latest) throws IOException {
        Attributes attributes = clamped(entry.attributes(), latest);
        switch (entry) {
            case Entry.Directory _ -> tar.directory(path, attributes);
            case Entry.Link link ->
                tar.symbolicLink(
                        path,
                        link.target(),
                        new Attributes(LINK_MODE, attributes.uid(), attributes.gid(), attributes.modified()));
            case Entry.Text text -> {
                byte[] content = text.content().getBytes(StandardCharsets.UTF_8);
                tar.file(path, content.length, attributes);
                tar.content(content, content.length);
            }
            case Entry.Own own -> {
                tar.file(path, own.size(), attributes);
                try (var in = Files.newInputStream(own.file())) {
                    var buffer = new byte[BUFFER];
                    for (int count = in.read(buffer); count > 0; count = in.read(buffer)) {
                        tar.content(buffer, count);
                    }
                }
            }
            case Entry.Copied copied -> {
                tar.file(path, copied.node().status().size(), attributes);
                content(tar, copied);
            }
        }
    }

    /// The layer is known by what the files held when they were looked at, so they must still hold it.
    private static void content(TarWriter tar, Entry.Copied copied) throws IOException {
        MessageDigest digest = ContentHash.algorithm();
        long left = copied.node().status().size();
        try (Fd file = copied.tree().open(copied.node())) {
            var buffer = new byte[BUFFER];
            long position = 0;
            while (left > 0) {
                int count = (int) Math.min(left, FileContent.readAt(file, buffer, position));
                if (count == 0) {
                    break;
                }
                digest.update(buffer, 0, count);
                tar.content(buffer, count);
                position += count;
                left -= count;
            }
        }
        if (left > 0 || !HexFormat.of().formatHex(digest.digest()).equals(copied.digest())) {
            throw copied.tree().changed(copied.node(), null);
        }
    }
}
