package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.image.PackedImage.PackedLayer;
import dev.caisson.text.Quoted;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads the tar file of `docker save` and `skopeo copy … docker-archive:`: `manifest.json` names a configuration and
/// layers, as `ID/layer.tar`, `HEX.tar` or `blobs/sha256/HEX`. Nothing is unpacked to find them: members are found by
/// name in the archive itself, and links lead to other members only.
final class DockerArchiveReader implements AutoCloseable {
    /// The content of a member, by its place in the file.
    private record Member(long start, long size) {}

    private static final int LARGEST_DOCUMENT = 4 << 20;
    private static final int MOST_MEMBERS = 100_000;
    private static final Pattern CONFIG_NAME = Pattern.compile("(?:blobs/sha256/)?([0-9a-f]{64})(?:\\.json)?");
    private static final Pattern BLOB_NAME = Pattern.compile("blobs/sha256/([0-9a-f]{64})");

    private final Path path;
    private final FileChannel channel;
    private final ArchiveNames<Member> members;

    DockerArchiveReader(Path path) throws IOException {
        this.path = path;
        this.members = new ArchiveNames<>(path.toString(), MOST_MEMBERS);
        if (!Files.isRegularFile(path)) {
            throw new ImageException(
                    Code.NOT_FOUND, "there is no file " + path + "; name what docker save or skopeo wrote");
        }
        channel = FileChannel.open(path, StandardOpenOption.READ);
        try {
            findMembers();
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private void findMembers() throws IOException {
        long size = channel.size();
        try (FileSlice slice = FileSlice.part(channel, 0, size)) {
            refuseCompressed(slice);
        }
        try (var slice = FileSlice.part(channel, 0, size)) {
            var counted = new PositionedStream(new BufferedInputStream(slice, 64 * 1024));
            var reader = new TarReader(counted, UnpackLimits.DEFAULT);
            for (Optional<TarEntry> next = reader.next(); next.isPresent(); next = reader.next()) {
                TarEntry entry = next.orElseThrow();
                if (members.accepts(entry)) {
                    members.add(entry, new Member(counted.position(), entry.size()));
                }
            }
        }
    }

    private void refuseCompressed(FileSlice slice) throws IOException {
        byte[] magic = slice.readNBytes(4);
        boolean gzip = magic.length >= 2 && (magic[0] & 0xff) == 0x1f && (magic[1] & 0xff) == 0x8b;
        boolean zstd = magic.length == 4 && magic[0] == 0x28 && (magic[1] & 0xff) == 0xb5;
        if (gzip || zstd) {
            throw new ImageException(
                    Code.UNSUPPORTED_FORMAT,
                    path + " is compressed as a whole; uncompress it with " + (gzip ? "gunzip" : "unzstd")
                            + " and name the result");
        }
    }

    PackedImage read(Optional<String> reference) throws IOException {
        if (!members.has("manifest.json")) {
            String hint = members.has("index.json")
                    ? "; it is an oci-archive: unpack it with tar and name the directory as oci:DIRECTORY"
                    : "; name what docker save or skopeo wrote";
            throw new ImageException(Code.BAD_MANIFEST, path + " has no manifest.json" + hint);
        }
        List<JsonObject> images = JsonObject.parseArray("the manifest", document("manifest.json", "the manifest"));
        JsonObject image = choose(images, reference);
        String configName = ArchiveNames.normalized(image.required("Config"));
        byte[] content = document(configName, "the configuration");
        Digest id = Digest.of(content);
        Matcher named = CONFIG_NAME.matcher(configName);
        if (named.matches() && !named.group(1).equals(id.hex())) {
            throw new ImageException(
                    Code.DIGEST_MISMATCH,
                    "the configuration " + configName + " is not what its name says; fetch the image again");
        }
        PackedConfig config = PackedConfig.parse(content);
        List<String> layers = image.strings("Layers");
        if (layers.size() != config.diffIds().size()) {
            throw bad("lists " + layers.size() + " layers, and its configuration "
                    + config.diffIds().size());
        }
        var packed = new ArrayList<PackedLayer>();
        for (int i = 0; i < layers.size(); i++) {
            packed.add(layer(
                    ArchiveNames.normalized(layers.get(i)), config.diffIds().get(i)));
        }
        return new PackedImage(id, config.config(), config.healthCheck(), packed);
    }

    private PackedLayer layer(String name, Digest diffId) {
        Member member = members.get(name);
        Matcher blob = BLOB_NAME.matcher(name);
        Optional<Digest> digest = blob.matches() ? Optional.of(new Digest(blob.group(1))) : Optional.empty();
        return new PackedLayer(
                diffId,
                digest,
                Long.toString(member.start()),
                member.size(),
                () -> FileSlice.part(channel, member.start(), member.size()));
    }

    private JsonObject choose(List<JsonObject> images, Optional<String> reference) {
        if (reference.isEmpty() && images.size() == 1) {
            return images.getFirst();
        }
        List<JsonObject> fitting = images.stream()
                .filter(image -> reference.isEmpty()
                        || image.strings("RepoTags").stream()
                                .anyMatch(tag -> full(tag).equals(full(reference.orElseThrow()))))
                .toList();
        if (fitting.size() == 1) {
            return fitting.getFirst();
        }
        String names = String.join(
                ", ",
                images.stream()
                        .flatMap(image -> image.strings("RepoTags").stream())
                        .limit(20)
                        .map(Quoted::of)
                        .toList());
        throw fitting.isEmpty()
                ? new ImageException(
                        Code.NOT_FOUND,
                        path + " has no image " + reference.map(Quoted::of).orElse("at all") + "; it has " + names)
                : new ImageException(
                        Code.AMBIGUOUS_REFERENCE, path + " has several images; name the one to take: " + names);
    }

    /// `busybox`, `busybox:latest` and `docker.io/library/busybox:latest` are the same to Docker.
    private static String full(String reference) {
        String tagged = reference.indexOf(':', reference.lastIndexOf('/') + 1) < 0 ? reference + ":latest" : reference;
        String hub = "docker.io/";
        String rest = tagged.startsWith(hub) ? tagged.substring(hub.length()) : tagged;
        return rest.startsWith("library/") ? rest.substring("library/".length()) : rest;
    }

    private byte[] document(String name, String what) throws IOException {
        Member member = members.get(name);
        try (FileSlice slice = FileSlice.part(channel, member.start(), member.size())) {
            return slice.readDocument(what, LARGEST_DOCUMENT);
        }
    }

    private ImageException bad(String fault) {
        return members.bad(fault);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
