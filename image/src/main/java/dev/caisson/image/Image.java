package dev.caisson.image;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.text.Quoted;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;

/// The source of a root file system. Its text, `toString()`, is the form that [#parse] reads.
public sealed interface Image {
    /// The host's own `/usr`, read-only, below a private `/etc`.
    record Host() implements Image {
        @Override
        public String toString() {
            return "host";
        }
    }

    /// An unpacked root file system. It is only read: what a container writes goes to a layer above it.
    record Directory(Path path) implements Image {
        public Directory {
            present(path, "path");
        }

        @Override
        public String toString() {
            return "dir:" + path;
        }
    }

    /// A directory in the OCI image layout.
    ///
    /// @param reference the `org.opencontainers.image.ref.name` to take; needed where the layout holds several
    record OciLayout(Path path, Optional<String> reference) implements Image {
        public OciLayout {
            present(path, "path");
            present(reference, "reference");
        }

        @Override
        public String toString() {
            return "oci:" + path + reference.map(name -> ":" + name).orElse("");
        }
    }

    /// A tar file as `docker save` and `skopeo copy … docker-archive:` write it.
    ///
    /// @param reference the repository and tag to take; needed where the archive holds several images
    record DockerArchive(Path file, Optional<String> reference) implements Image {
        public DockerArchive {
            present(file, "file");
            present(reference, "reference");
        }

        @Override
        public String toString() {
            return "docker-archive:" + file + reference.map(name -> ":" + name).orElse("");
        }
    }

    /// An image of the store, which was pulled from a registry.
    record Named(ImageReference reference) implements Image {
        public Named {
            present(reference, "reference");
        }

        @Override
        public String toString() {
            return reference.toString();
        }
    }

    /// The files of a container at one moment, which were taken by `caisson snapshot create` or
    /// `Session.snapshot`.
    record Snapshot(SnapshotName name) implements Image {
        private static final String PREFIX = "snapshot://";

        public Snapshot {
            present(name, "name");
        }

        @Override
        public String toString() {
            return PREFIX + name;
        }
    }

    static Image host() {
        return new Host();
    }

    static Image directory(Path path) {
        return new Directory(path);
    }

    static Image ociLayout(Path path) {
        return new OciLayout(path, Optional.empty());
    }

    static Image ociLayout(Path path, String reference) {
        return new OciLayout(path, Optional.of(present(reference, "reference")));
    }

    static Image dockerArchive(Path file) {
        return new DockerArchive(file, Optional.empty());
    }

    static Image dockerArchive(Path file, String reference) {
        return new DockerArchive(file, Optional.of(present(reference, "reference")));
    }

    static Image snapshot(String name) {
        return new Snapshot(new SnapshotName(name));
    }

    /// Reads `host`, `snapshot://NAME`, `dir:PATH`, `oci:PATH[:REFERENCE]`,
    /// `docker-archive:FILE[:REFERENCE]`, or the name of an image that was pulled: `debian:13`, also as
    /// `docker://debian:13`. As with skopeo, the first colon after the path begins the reference; a path
    /// that has a colon itself is given to the factories above.
    ///
    /// @throws ImageException BAD_NAME, or UNSUPPORTED_FORMAT for the stores of other tools
    static Image parse(String name) {
        if (present(name, "name").equals("host")) {
            return host();
        }
        if (name.startsWith(Snapshot.PREFIX)) {
            return snapshot(name.substring(Snapshot.PREFIX.length()));
        }
        int colon = name.indexOf(':');
        String transport = colon < 0 ? "" : name.substring(0, colon);
        String rest = name.substring(colon + 1);
        return switch (transport) {
            case "dir" -> directory(path(name, rest));
            case "oci" -> new OciLayout(path(name, beforeColon(rest)), afterColon(name, rest));
            case "docker-archive" -> new DockerArchive(path(name, beforeColon(rest)), afterColon(name, rest));
            case "docker" -> new Named(ImageReference.parse(rest.startsWith("//") ? rest.substring(2) : name));
            case "docker-daemon", "containers-storage" ->
                throw unread(
                        name,
                        "the store of another engine",
                        "save it with docker save or podman save into a file, and run docker-archive:FILE");
            case "oci-archive" ->
                throw unread(
                        name, "a packed OCI layout", "unpack it with tar -xf into a directory, and run oci:DIRECTORY");
            default -> new Named(ImageReference.parse(name));
        };
    }

    private static ImageException unread(String name, String what, String advice) {
        return new ImageException(
                ImageException.Code.UNSUPPORTED_FORMAT,
                Quoted.of(name) + " names " + what + ", which is not read; " + advice);
    }

    private static Path path(String name, String path) {
        if (path.isEmpty()) {
            throw new ImageException(
                    ImageException.Code.BAD_NAME, Quoted.of(name) + " has no path; write it after the colon");
        }
        try {
            return Path.of(path);
        } catch (InvalidPathException e) {
            throw new ImageException(
                    ImageException.Code.BAD_NAME, Quoted.of(name) + " has a path that no file can have", e);
        }
    }

    private static String beforeColon(String text) {
        int colon = text.indexOf(':');
        return colon < 0 ? text : text.substring(0, colon);
    }

    private static Optional<String> afterColon(String name, String text) {
        int colon = text.indexOf(':');
        if (colon < 0) {
            return Optional.empty();
        }
        String reference = text.substring(colon + 1);
        if (reference.isEmpty()) {
            throw new ImageException(
                    ImageException.Code.BAD_NAME,
                    Quoted.of(name) + " ends with a colon; write a reference after it, or leave it away");
        }
        return Optional.of(reference);
    }
}
