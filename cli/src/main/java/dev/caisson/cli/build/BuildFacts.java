package dev.caisson.cli.build;

import dev.caisson.build.BuildResult;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.text.JsonText;
import dev.caisson.image.ImageIndex;
import dev.caisson.image.ImageReference;
import dev.caisson.image.StoredImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// Writes what a build tells into files: `--iidfile` gets the image's id, `--metadata-file` the fields that Docker's
/// has, as JSON.
final class BuildFacts {
    private BuildFacts() {}

    static void writeId(Path file, String shown, BuildResult result) {
        write(file, "--iidfile " + shown, result.id().toString());
    }

    /// @param names that the image was given
    static void writeFacts(Path file, String shown, BuildResult result, List<ImageReference> names) {
        write(file, "--metadata-file " + shown, JsonText.of(facts(result, names)) + "\n");
    }

    private static Map<String, Object> facts(BuildResult result, List<ImageReference> names) {
        StoredImage image = result.image();
        var descriptor = new LinkedHashMap<String, Object>();
        descriptor.put("mediaType", image.index().isPresent() ? ImageIndex.MEDIA_TYPE : image.mediaType());
        String manifest =
                image.index().map(ImageIndex::digest).orElse(image.manifest()).toString();
        descriptor.put("digest", manifest);
        descriptor.put("size", image.index().map(ImageIndex::size).orElse(image.manifestSize()));
        var facts = new LinkedHashMap<String, Object>();
        facts.put("containerimage.config.digest", result.id().toString());
        facts.put("containerimage.descriptor", descriptor);
        facts.put("containerimage.digest", manifest);
        if (!names.isEmpty()) {
            facts.put(
                    "image.name",
                    names.stream()
                            .map(name ->
                                    name.fullRepository() + ":" + name.tag().orElseThrow())
                            .collect(Collectors.joining(",")));
        }
        return facts;
    }

    private static void write(Path file, String shown, String content) {
        try {
            Files.writeString(file, content);
        } catch (IOException e) {
            throw new CommandException("FILE_UNWRITABLE", 1, shown + " cannot be written: name another file");
        }
    }
}
