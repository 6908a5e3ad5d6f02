package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// An image's own description, read without unpacking it.
///
/// @param digest of its manifest, by which a registry knows it; absent where none lies here
/// @param healthCheck as Docker's `Healthcheck.Test`, `CMD-SHELL` or `CMD` first; empty for none
/// @param users numeric ids by name, of the image's `/etc/passwd`; empty where it has none
public record ImageFacts(
        Optional<Digest> digest, ImageConfig config, List<String> healthCheck, Map<String, Integer> users) {
    private static final String PASSWD = "etc/passwd";
    private static final int LARGEST_PASSWD = 1 << 20;
    /// A whiteout hides the layers below it (OCI image specification, layer.md).
    private static final List<String> HIDING = List.of(".wh.etc", "etc/.wh.passwd", "etc/.wh..wh..opq", ".wh..wh..opq");

    public ImageFacts {
        healthCheck = List.copyOf(healthCheck);
        users = Map.copyOf(users);
    }

    /// Reads an image's configuration and accounts.
    ///
    /// @throws ImageException in any of the codes of reading; UNSUPPORTED_FORMAT for `host`, which is no image
    public static ImageFacts read(Image image) {
        try {
            return switch (image) {
                case Image.Host() ->
                    throw new ImageException(
                            Code.UNSUPPORTED_FORMAT,
                            "host is no image that a file builds on; name dir:PATH, oci:PATH or docker-archive:FILE");
                case Image.Named(var reference) ->
                    throw new ImageException(
                            Code.UNSUPPORTED_FORMAT,
                            reference + " is looked up in a store, which is not asked here; name dir:PATH, oci:PATH or"
                                    + " docker-archive:FILE");
                case Image.Snapshot(var name) ->
                    throw new ImageException(
                            Code.UNSUPPORTED_FORMAT,
                            "the snapshot " + name + " is no image that a file builds on; name dir:PATH, oci:PATH or"
                                    + " docker-archive:FILE");
                case Image.Directory(var path) -> {
                    try (Fd root = FileSystem.open(path.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
                        byte[] passwd = InRoot.read(List.of(root), PASSWD, LARGEST_PASSWD)
                                .orElse(new byte[0]);
                        yield new ImageFacts(
                                Optional.empty(), ImageConfig.plain(List.of()), List.of(), accounts(passwd));
                    }
                }
                case Image.OciLayout(var path, var reference) -> {
                    try (var reader = new OciLayoutReader(path)) {
                        PackedImage packed = reader.read(reference);
                        yield of(packed, Optional.of(packed.id()));
                    }
                }
                case Image.DockerArchive(var file, var reference) -> {
                    try (var reader = new DockerArchiveReader(file)) {
                        yield of(reader.read(reference), Optional.empty());
                    }
                }
            };
        } catch (IOException e) {
            throw new ImageException(
                    Code.BAD_ARCHIVE,
                    image + " cannot be read (" + e.getMessage() + "); fetch or build the image again",
                    e);
        } catch (ErrnoException e) {
            throw new ImageException(
                    Code.NOT_FOUND, image + " cannot be opened (" + e.getMessage() + "); is its path right?", e);
        }
    }

    private static ImageFacts of(PackedImage image, Optional<Digest> digest) throws IOException {
        return new ImageFacts(digest, image.config(), image.healthCheck(), accounts(passwd(image)));
    }

    /// The topmost layer that has the file decides, or hides it.
    private static byte[] passwd(PackedImage image) throws IOException {
        UnpackBudget budget = UnpackBudget.of(image);
        for (PackedImage.PackedLayer layer : image.layers().reversed()) {
            try (FileSlice slice = layer.opening().open();
                    var stream = new LayerStream(slice, budget)) {
                var found = new ByteArrayOutputStream();
                boolean decided = find(new TarReader(stream, UnpackLimits.DEFAULT), found);
                stream.verify(layer);
                if (decided) {
                    return found.toByteArray();
                }
            }
        }
        return new byte[0];
    }

    private static boolean find(TarReader archive, ByteArrayOutputStream found) throws IOException {
        boolean has = false;
        boolean hides = false;
        for (Optional<TarEntry> next = archive.next(); next.isPresent(); next = archive.next()) {
            TarEntry entry = next.orElseThrow();
            String name = entry.name().replaceFirst("^(?:\\./|/)+", "");
            hides |= HIDING.contains(name);
            if (!name.equals(PASSWD)) {
                continue;
            }
            has = true;
            found.reset();
            if (entry.kind() == TarEntry.Kind.FILE && entry.size() <= LARGEST_PASSWD) {
                archive.content((bytes, length, position) -> found.write(bytes, 0, length));
            }
        }
        return has || hides;
    }

    /// The first line of a name counts, as in libc; a line of another shape names nobody.
    private static Map<String, Integer> accounts(byte[] passwd) {
        var users = new LinkedHashMap<String, Integer>();
        for (String line : new String(passwd, StandardCharsets.UTF_8).split("\n", -1)) {
            String[] fields = line.split(":", -1);
            if (fields.length == 7 && fields[2].matches("0|[1-9][0-9]{0,8}")) {
                users.putIfAbsent(fields[0], Integer.parseInt(fields[2]));
            }
        }
        return users;
    }
}
