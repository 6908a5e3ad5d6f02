package dev.caisson.build;

import dev.caisson.build.BuildNotes.Provenance;
import dev.caisson.image.Digest;
import dev.caisson.image.ImageNotes;
import dev.caisson.image.Platform;
import dev.caisson.linux.KernelRandom;
import dev.caisson.scan.LeakScanner;
import dev.caisson.scan.RuleSet;
import dev.caisson.spec.Network;
import dev.caisson.text.JsonOutput;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Says how an image was built: in-toto's Statement with a predicate of SLSA Provenance 1, whose fields are those that
/// BuildKit's slsa-definitions.md lists. No secret of the build is in it, and no argument or Dockerfile that has one.
final class ProvenanceStatement {
    static final String PREDICATE = "https://slsa.dev/provenance/v1";

    private static final String STATEMENT = "https://in-toto.io/Statement/v1";
    private static final String BUILD_TYPE =
            "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md";
    private static final int ID_BYTES = 16;
    private static final int LARGEST_SECRET = 500 << 10;
    private static final int LEAST_SECRET = 4;

    private final BuildRequest request;
    private final Provenance wanted;
    private final Materials materials;
    private final Instant started;
    private final LeakScanner scanner;
    private final List<String> secrets = new ArrayList<>();
    private boolean complete = true;

    ProvenanceStatement(BuildRequest request, Provenance wanted, Materials materials, Instant started) {
        this.request = request;
        this.wanted = wanted;
        this.materials = materials;
        this.started = started;
        this.scanner = new LeakScanner(RuleSet.own(), started);
        request.secrets().values().forEach(source -> secrets.add(text(source)));
    }

    private static String text(SecretSource source) {
        byte[] value = switch (source) {
            case SecretSource.Content content -> content.bytes();
            case SecretSource.File file -> read(file);
        };
        return new String(value, StandardCharsets.UTF_8).strip();
    }

    private static byte[] read(SecretSource.File file) {
        try (var in = Files.newInputStream(file.path())) {
            return Files.isRegularFile(file.path()) ? in.readNBytes(LARGEST_SECRET) : new byte[0];
        } catch (IOException e) {
            throw new BuildException(
                    "BUILD_SECRET",
                    null,
                    "secret " + file.shown() + " cannot be read, so that nobody knows whether the provenance has it:"
                            + " name a file",
                    e);
        }
    }

    ImageNotes notes(BuildNotes said) {
        return new ImageNotes(
                said.manifest(), said.index(), Optional.of(new ImageNotes.Statement(PREDICATE, this::about)));
    }

    private byte[] about(Digest manifest) {
        var statement = new LinkedHashMap<String, Object>();
        statement.put("_type", STATEMENT);
        statement.put("predicateType", PREDICATE);
        statement.put(
                "subject",
                request.names().isEmpty()
                        ? List.of(subject("_", manifest))
                        : request.names().stream()
                                .map(name -> subject(Materials.address(name, request.platform()), manifest))
                                .toList());
        statement.put("predicate", predicate());
        return JsonOutput.of(statement).getBytes(StandardCharsets.UTF_8);
    }

    private static Map<String, Object> subject(String name, Digest manifest) {
        var subject = new LinkedHashMap<String, Object>();
        subject.put("name", name);
        subject.put("digest", Map.of("sha256", manifest.hex()));
        return subject;
    }

    private Map<String, Object> predicate() {
        var predicate = new LinkedHashMap<String, Object>();
        predicate.put("buildDefinition", definition());
        predicate.put("runDetails", details());
        return predicate;
    }

    private Map<String, Object> definition() {
        var definition = new LinkedHashMap<String, Object>();
        definition.put("buildType", BUILD_TYPE);
        var external = new LinkedHashMap<String, Object>();
        external.put("configSource", Map.of("path", request.dockerfile().name()));
        external.put("request", requested());
        definition.put("externalParameters", external);
        definition.put(
                "internalParameters",
                Map.of("builderPlatform", Platform.running().toString()));
        definition.put("resolvedDependencies", materials.fields());
        return definition;
    }

    private Map<String, Object> requested() {
        var requested = new LinkedHashMap<String, Object>();
        requested.put("frontend", "dockerfile.v0");
        requested.put("args", arguments());
        if (wanted.all() && !request.secrets().isEmpty()) {
            requested.put(
                    "secrets",
                    request.secrets().keySet().stream()
                            .sorted()
                            .map(id -> Map.of("id", id))
                            .toList());
        }
        var locals = new ArrayList<Map<String, String>>();
        if (request.context().isPresent()) {
            locals.add(Map.of("name", "context"));
        }
        locals.add(Map.of("name", "dockerfile"));
        requested.put("locals", locals);
        return requested;
    }

    /// Those that hold a secret are left out, and the request is not complete then.
    private Map<String, Object> arguments() {
        var arguments = new TreeMap<String, Object>();
        request.target().ifPresent(target -> put(arguments, "target", "target", target));
        if (wanted.all()) {
            request.arguments().forEach((name, value) -> put(arguments, "build-arg:" + name, name, value));
            request.labels().forEach((name, value) -> put(arguments, "label:" + name, name, value));
        }
        return arguments;
    }

    private void put(Map<String, Object> into, String key, String name, String value) {
        if (hasSecret(name)
                || hasSecret(value)
                || !scanner.scan(key, name, value).isEmpty()) {
            complete = false;
        } else {
            into.put(key, value);
        }
    }

    private boolean hasSecret(String text) {
        return secrets.stream()
                .anyMatch(secret -> secret.length() < LEAST_SECRET ? text.equals(secret) : text.contains(secret));
    }

    private Map<String, Object> details() {
        var details = new LinkedHashMap<String, Object>();
        details.put("builder", Map.of("id", wanted.builder()));
        var metadata = new LinkedHashMap<String, Object>();
        metadata.put("invocationId", HexFormat.of().formatHex(KernelRandom.bytes(ID_BYTES)));
        metadata.put("startedOn", started.toString());
        metadata.put("finishedOn", Instant.now().toString());
        metadata.put("buildkit_hermetic", request.network().equals(Network.none()) && !materials.hasDownloads());
        metadata.put("buildkit_reproducible", wanted.reproducible());
        var more = new LinkedHashMap<String, Object>();
        if (wanted.all()) {
            source(more);
        }
        var complete = new LinkedHashMap<String, Object>();
        complete.put("request", wanted.all() && this.complete);
        complete.put("resolvedDependencies", false); // files of the context are from anywhere
        metadata.put("buildkit_completeness", complete);
        metadata.put("buildkit_metadata", more);
        details.put("metadata", metadata);
        return details;
    }

    private void source(Map<String, Object> metadata) {
        String text = request.dockerfile().text();
        if (hasSecret(text) || !scanner.scan(request.dockerfile().name(), text).isEmpty()) {
            complete = false;
            return;
        }
        var info = new LinkedHashMap<String, Object>();
        info.put("filename", request.dockerfile().name());
        info.put("language", "Dockerfile");
        info.put("data", Base64.getEncoder().encodeToString(request.dockerfile().bytes()));
        metadata.put("source", Map.of("infos", List.of(info)));
    }
}
