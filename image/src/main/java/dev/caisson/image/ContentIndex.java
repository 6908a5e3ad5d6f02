package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.StampedFiles;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// The list of a store's images: `index.json` of an OCI layout, so that other tools can read the store too. It is
/// replaced whole, by a rename.
final class ContentIndex {
    private static final String FILE = "index.json";
    private static final String PARTIAL = "index.json.partial";
    private static final String NAME = "org.opencontainers.image.ref.name";
    private static final String REPOSITORY = "dev.caisson.image.repository";
    private static final String PULLED = "dev.caisson.image.pulled";
    private static final String TIME = "dev.caisson.image.pulled.millis";
    private static final String INDEX = "dev.caisson.image.index";
    private static final Pattern SIZED = Pattern.compile("(sha256:[0-9a-f]{64})/(\\d{1,9})");
    private static final int LARGEST = 4 << 20;
    /// A longer list is read each time, so that lists cannot fill the memory of a resident engine.
    private static final int MOST_KNOWN = 4_096;

    private static final StampedFiles<List<StoredImage>> KNOWN = new StampedFiles<>(4);

    private ContentIndex() {}

    static List<StoredImage> read(Fd directory) {
        Optional<Fd> found = FileSystem.find(directory, FILE, FileSystem.O_RDONLY, FileSystem.RESOLVE_NO_SYMLINKS);
        if (found.isEmpty()) {
            return List.of();
        }
        try (Fd file = found.orElseThrow()) {
            Instant seen = Instant.now();
            FileStatus status = FileSystem.status(file);
            Optional<List<StoredImage>> known = KNOWN.find(status);
            if (known.isPresent()) {
                return known.orElseThrow();
            }
            List<StoredImage> images = parse(FileSystem.read(file, LARGEST));
            if (images.size() <= MOST_KNOWN) {
                KNOWN.remember(status, seen, images);
            }
            return images;
        }
    }

    private static List<StoredImage> parse(byte[] content) {
        return JsonObject.parse("the index of the store", content).objects("manifests").stream()
                .map(Descriptor::of)
                .map(ContentIndex::image)
                .toList();
    }

    private static StoredImage image(Descriptor entry) {
        Map<String, String> notes = entry.annotations();
        String repository = note(notes, REPOSITORY);
        String name = notes.getOrDefault(NAME, "");
        String before = repository + ":";
        return new StoredImage(
                repository,
                name.startsWith(before) ? Optional.of(name.substring(before.length())) : Optional.empty(),
                entry.digest(),
                Descriptor.digest(note(notes, PULLED)),
                entry.mediaType(),
                entry.size(),
                millis(note(notes, TIME)),
                Optional.ofNullable(notes.get(INDEX)).map(ContentIndex::index));
    }

    private static ImageIndex index(String text) {
        var sized = SIZED.matcher(text);
        if (!sized.matches()) {
            throw broken("an index has no digest and size");
        }
        return new ImageIndex(Descriptor.digest(sized.group(1)), Long.parseLong(sized.group(2)));
    }

    private static String note(Map<String, String> notes, String key) {
        String value = notes.get(key);
        if (value == null) {
            throw broken(key + " is missing");
        }
        return value;
    }

    private static long millis(String text) {
        if (!text.matches("\\d{1,15}")) {
            throw broken("a time is not a number");
        }
        return Long.parseLong(text);
    }

    private static ImageException broken(String why) {
        return new ImageException(
                Code.STORE_REFUSED,
                "the list of the store's images is not one of ours (" + why
                        + "); move the directory images/content of the data directory away and pull again");
    }

    /// Replaces the list. Repositories, tags and digests have no character that JSON would have to escape.
    static void write(Fd directory, List<StoredImage> images) {
        String text = images.stream()
                .map(ContentIndex::entry)
                .collect(Collectors.joining(
                        ",",
                        "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[",
                        "]}\n"));
        int flags = FileSystem.O_WRONLY | FileSystem.O_CREAT | FileSystem.O_TRUNC;
        try (Fd file = FileSystem.openAt(directory, PARTIAL, flags, 0600, FileSystem.RESOLVE_NO_SYMLINKS)) {
            FileSystem.write(file, text.getBytes(StandardCharsets.UTF_8));
            FileSystem.synchronize(file);
        }
        FileSystem.rename(directory, PARTIAL, directory, FILE, true);
        FileSystem.synchronize(directory);
    }

    private static String entry(StoredImage image) {
        String name = image.tag()
                .map(tag -> "\"" + NAME + "\":\"" + image.repository() + ":" + tag + "\",")
                .orElse("");
        String index = image.index()
                .map(one -> "\"" + INDEX + "\":\"" + one.digest() + "/" + one.size() + "\",")
                .orElse("");
        return String.format(
                Locale.ROOT,
                "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d,\"annotations\":{%s\"%s\":\"%s\",\"%s\":\"%s\",\"%s\":\"%d\"}}",
                image.mediaType(),
                image.manifest(),
                image.manifestSize(),
                name + index,
                REPOSITORY,
                image.repository(),
                PULLED,
                image.pulled(),
                TIME,
                image.pulledMillis());
    }
}
