package dev.caisson.cli.build;

import dev.caisson.build.BuildOutput;
import dev.caisson.build.BuildResult;
import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OutputFile;
import dev.caisson.engine.Images;
import dev.caisson.image.ArchiveForm;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A value of `--output`: what is made of an image besides its entry in the store.
///
/// @param destination path, or `-` for standard output
record OutputOption(Kind kind, String destination) {
    private static final String STANDARD_OUTPUT = "-";

    /// The kinds of outputs, by Docker's names.
    enum Kind {
        LOCAL,
        TAR,
        OCI,
        DOCKER,
        IMAGE
    }

    /// Reads `type=TYPE,dest=PATH`, or a path alone: a directory, or `-` for an archive on standard output.
    static OutputOption parse(String text) {
        if (text.equals(STANDARD_OUTPUT)) {
            return new OutputOption(Kind.TAR, STANDARD_OUTPUT);
        }
        if (!text.isEmpty() && text.indexOf('=') < 0 && text.indexOf(',') < 0) {
            return new OutputOption(Kind.LOCAL, text);
        }
        Map<String, String> fields = fields(text);
        String type = fields.get("type");
        if (type == null) {
            throw CommandException.usage("--output has no type: add type=local, tar, oci, docker or image");
        }
        String destination = fields.getOrDefault("dest", "");
        Kind kind = type.equals("docker") && destination.isEmpty() ? Kind.IMAGE : kind(type); // docker loads it
        if (kind == Kind.IMAGE) {
            if (!destination.isEmpty()) {
                throw CommandException.usage("--output type=image has no dest: name the image by -t");
            }
        } else if (kind == Kind.LOCAL && (destination.isEmpty() || destination.equals(STANDARD_OUTPUT))) {
            throw CommandException.usage("--output type=local needs a directory: add dest=DIRECTORY");
        }
        return new OutputOption(kind, destination.isEmpty() ? STANDARD_OUTPUT : destination);
    }

    private static Map<String, String> fields(String text) {
        var fields = new LinkedHashMap<String, String>();
        for (String part : text.split(",", -1)) {
            int equals = part.indexOf('=');
            String key = equals < 0 ? part : part.substring(0, equals);
            if (equals < 0) {
                throw CommandException.usage(
                        "--output is a directory, -, or type=local|tar|oci|docker|image,dest=PATH");
            }
            if (!List.of("type", "dest").contains(key)) {
                throw CommandException.refused("--output " + key + "=", advice(key));
            }
            if (fields.put(key, part.substring(equals + 1)) != null) {
                throw CommandException.usage("--output has " + key + "= twice: give one");
            }
        }
        return fields;
    }

    private static String advice(String key) {
        return switch (key) {
            case "name" -> "name the image by -t";
            case "push" -> "run 'caisson push' afterwards";
            default -> "leave it out, or ask by type= and dest= alone";
        };
    }

    private static Kind kind(String type) {
        return switch (type) {
            case "local" -> Kind.LOCAL;
            case "tar" -> Kind.TAR;
            case "oci" -> Kind.OCI;
            case "docker" -> Kind.DOCKER;
            case "image" -> Kind.IMAGE;
            case "registry" ->
                throw CommandException.refused("--output type=registry", "run 'caisson push' afterwards");
            default -> throw CommandException.refused("--output type=" + type, "give local, tar, oci, docker or image");
        };
    }

    /// Returns whether it goes anywhere but into the store.
    boolean isHandedOut() {
        return kind != Kind.IMAGE;
    }

    /// Returns whether standard output is where it goes.
    boolean isPrinted() {
        return kind != Kind.IMAGE && destination.equals(STANDARD_OUTPUT);
    }

    void write(BuildResult result, Images images, Optional<Instant> latest) throws InterruptedException {
        switch (kind) {
            case IMAGE -> {
                // it is in the store
            }
            case DOCKER -> save(result, images, ArchiveForm.DOCKER);
            case OCI -> save(result, images, ArchiveForm.OCI);
            case TAR -> {
                try (BuildOutput files = BuildOutput.of(result, images)) {
                    OutputFile.write(destination, out -> files.archive(out, latest));
                }
            }
            case LOCAL -> {
                try (BuildOutput files = BuildOutput.of(result, images)) {
                    files.copyTo(Caller.current().path(destination));
                }
            }
        }
    }

    private void save(BuildResult result, Images images, ArchiveForm form) throws InterruptedException {
        OutputFile.write(destination, out -> images.save(List.of(result.image()), form, out));
    }
}
