package dev.caisson.build;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.build.BuildNotes.Provenance;
import dev.caisson.image.ArchiveForm;
import dev.caisson.image.Digest;
import dev.caisson.image.ImageReference;
import dev.caisson.image.PullListener;
import dev.caisson.image.RegistryLogins;
import dev.caisson.image.StoredImage;
import dev.caisson.text.Json;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Statements of how an image was built, in the index that names it.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class ProvenanceTest {
    private static final String[] LINES = {"FROM busybox:1", "ARG VERSION", "ARG COPY", "ARG API_TOKEN", "RUN true"};
    private static final String SECRET = "tr0ub4dor-and-3";

    @TempDir
    private Path directory;

    private BuildBed bed;

    @BeforeEach
    void open() throws IOException {
        bed = new BuildBed(directory, "states");
    }

    @AfterEach
    void close() throws IOException {
        bed.close();
    }

    private BuildResult build(BuildNotes notes, Map<String, String> labels, String... lines) throws Exception {
        BuildRequest plain = bed.request(lines);
        return bed.build(new BuildRequest(
                        plain.dockerfile(),
                        plain.context(),
                        plain.ignore(),
                        plain.names(),
                        Map.of("VERSION", "3", "COPY", "x" + SECRET, "API_TOKEN", "kq83hf72hfkq0s"),
                        Optional.empty(),
                        labels,
                        Map.of("t", new SecretSource.Content(SECRET.getBytes(StandardCharsets.UTF_8))),
                        plain.network(),
                        true,
                        false,
                        Optional.empty(),
                        RegistryLogins.none())
                .notes(notes));
    }

    private static BuildNotes provenance(boolean all) {
        return new BuildNotes(Optional.of(new Provenance(all, "https://builder.example/1", false)), Map.of(), Map.of());
    }

    /// Unpacks the image as an OCI layout.
    private Path layout(StoredImage image) throws Exception {
        Path archive = directory.resolve("image.tar");
        try (var out = Files.newOutputStream(archive)) {
            bed.images.save(List.of(image), ArchiveForm.OCI, out);
        }
        Path unpacked = Files.createTempDirectory(directory, "layout");
        Process tar = new ProcessBuilder("tar", "-xf", archive.toString(), "-C", unpacked.toString()).start();
        assertThat(tar.waitFor()).isZero();
        return unpacked;
    }

    private static Map<?, ?> json(Path file) throws IOException {
        byte[] content = Files.readAllBytes(file);
        if (requireNonNull(file.getParent()).endsWith("sha256")) {
            assertThat(Digest.of(content).hex()).isEqualTo(String.valueOf(file.getFileName()));
        }
        return Json.parse(content, Json.Limits.DEFAULT) instanceof Map<?, ?> map ? map : Map.of();
    }

    private static Object at(@Nullable Object from, Object... path) {
        @Nullable Object now = from;
        for (Object step : path) {
            now = step instanceof Integer index && now instanceof List<?> list
                    ? list.get(index)
                    : now instanceof Map<?, ?> map ? map.get(step) : null;
            assertThat(now).as("%s of %s", step, from).isNotNull();
        }
        return requireNonNull(now);
    }

    private static Map<?, ?> blob(Path layout, Object descriptor) throws IOException {
        String hex = at(descriptor, "digest").toString().substring("sha256:".length());
        return json(layout.resolve("blobs/sha256").resolve(hex));
    }

    private Map<?, ?> statement(BuildResult result) throws Exception {
        Path layout = layout(result.image());
        Map<?, ?> index = blob(layout, at(json(layout.resolve("index.json")), "manifests", 0));
        assertThat(at(index, "manifests", 0, "digest"))
                .hasToString(result.image().manifest().toString());
        Object about = at(index, "manifests", 1);
        assertThat(at(about, "platform", "os")).isEqualTo("unknown");
        assertThat(at(about, "annotations", "vnd.docker.reference.type")).isEqualTo("attestation-manifest");
        assertThat(at(about, "annotations", "vnd.docker.reference.digest"))
                .hasToString(result.image().manifest().toString());
        Object layer = at(blob(layout, about), "layers", 0);
        assertThat(at(layer, "annotations", "in-toto.io/predicate-type")).isEqualTo("https://slsa.dev/provenance/v1");
        assertThat(at(layer, "mediaType")).isEqualTo("application/vnd.in-toto+json");
        return blob(layout, layer);
    }

    @Test
    void a_short_statement_names_the_image_and_its_base_and_no_argument() throws Exception {
        BuildResult result = build(provenance(false), Map.of(), LINES);
        Map<?, ?> statement = statement(result);

        assertThat(at(statement, "_type")).isEqualTo("https://in-toto.io/Statement/v1");
        assertThat(at(statement, "subject", 0, "digest", "sha256"))
                .isEqualTo(result.image().manifest().hex());
        assertThat(at(statement, "subject", 0, "name").toString()).startsWith("pkg:docker/built@1?platform=linux%2F");
        Object definition = at(statement, "predicate", "buildDefinition");
        assertThat(at(definition, "externalParameters", "request", "args")).isEqualTo(Map.of());
        StoredImage base = bed.images.find("busybox:1");
        assertThat(at(definition, "resolvedDependencies", 0, "digest", "sha256"))
                .isEqualTo(base.pulled().hex());
        assertThat(at(definition, "resolvedDependencies", 0, "uri").toString()).startsWith("pkg:docker/busybox@1?");
        Object details = at(statement, "predicate", "runDetails");
        assertThat(at(details, "builder", "id")).isEqualTo("https://builder.example/1");
        assertThat(at(details, "metadata", "buildkit_hermetic")).isEqualTo(true);
        assertThat(at(details, "metadata", "buildkit_completeness", "request")).isEqualTo(false);
        assertThat(at(details, "metadata", "buildkit_metadata")).isEqualTo(Map.of());
        assertThat(statement.toString()).doesNotContain("\"t\"");
    }

    @Test
    void a_long_statement_has_the_arguments_and_the_dockerfile_but_no_secret() throws Exception {
        Map<?, ?> statement = statement(build(provenance(true), Map.of("l", "v"), LINES));

        Object request = at(statement, "predicate", "buildDefinition", "externalParameters", "request");
        assertThat(at(request, "args")).isEqualTo(Map.of("build-arg:VERSION", "3", "label:l", "v"));
        assertThat(at(request, "secrets", 0, "id")).isEqualTo("t");
        Object metadata = at(statement, "predicate", "runDetails", "metadata");
        assertThat(at(metadata, "buildkit_completeness", "request")).isEqualTo(false);
        String data =
                at(metadata, "buildkit_metadata", "source", "infos", 0, "data").toString();
        assertThat(new String(Base64.getDecoder().decode(data), StandardCharsets.UTF_8))
                .startsWith("FROM busybox:1\n");
        assertThat(statement.toString()).doesNotContain(SECRET).doesNotContain("kq83hf72hfkq0s");
    }

    @Test
    void a_dockerfile_with_a_secret_is_not_in_it() throws Exception {
        Map<?, ?> statement = statement(build(provenance(true), Map.of(), "FROM busybox:1", "RUN true " + SECRET));
        assertThat(at(statement, "predicate", "runDetails", "metadata", "buildkit_metadata"))
                .isEqualTo(Map.of());
    }

    @Test
    void annotations_are_those_of_the_manifest_and_the_index() throws Exception {
        BuildResult plain = build(new BuildNotes(Optional.empty(), Map.of("a.b", "\"c\""), Map.of()), Map.of(), LINES);
        Path layout = layout(plain.image());
        Object named = at(json(layout.resolve("index.json")), "manifests", 0);
        assertThat(at(blob(layout, named), "annotations")).isEqualTo(Map.of("a.b", "\"c\""));

        var wanted = new BuildNotes(provenance(false).provenance(), Map.of(), Map.of("d", "e"));
        layout = layout(build(wanted, Map.of(), LINES).image());
        named = at(json(layout.resolve("index.json")), "manifests", 0);
        assertThat(at(blob(layout, named), "annotations")).isEqualTo(Map.of("d", "e"));

        var without = new BuildNotes(Optional.empty(), Map.of(), Map.of("d", "e"));
        assertThatThrownBy(() -> build(without, Map.of(), LINES)).hasMessageContaining("has no index to annotate");
    }

    @Test
    void a_statement_stays_until_the_image_goes_and_an_archive_of_it_loads() throws Exception {
        BuildResult result = build(provenance(false), Map.of(), LINES);
        StoredImage second = bed.images.tag(result.image(), ImageReference.parse("second:1"));
        bed.images.remove(bed.images.find("built:1"));
        bed.images.prune(false);
        statement(new BuildResult(second, result.id()));

        var archive = new ByteArrayOutputStream();
        bed.images.save(List.of(second), ArchiveForm.OCI, archive);
        bed.images.remove(bed.images.find("second:1"));
        bed.images.prune(true);
        try (var blobs = Files.list(bed.options.data().resolve("images/content/blobs/sha256"))) {
            assertThat(blobs).isEmpty();
        }
        List<StoredImage> loaded = bed.images.load(new ByteArrayInputStream(archive.toByteArray()), "it");
        assertThat(loaded)
                .singleElement()
                .satisfies(image ->
                        assertThat(image.manifest()).isEqualTo(result.image().manifest()));
    }

    @Test
    @Tag("peers")
    void a_push_and_a_pull_take_it_along() throws Exception {
        try (DockerRegistry registry = DockerRegistry.start(directory)) {
            BuildResult result = build(provenance(false), Map.of(), LINES);
            ImageReference name = ImageReference.parse(registry.host + "/app:1");
            bed.images.push(bed.images.tag(result.image(), name), RegistryLogins.none(), PullListener.none());

            HttpResponse<byte[]> index = get(registry, "manifests/1");
            assertThat(index.headers().firstValue("Content-Type")).contains("application/vnd.oci.image.index.v1+json");
            Digest own = result.image().index().orElseThrow().digest();
            assertThat(Digest.of(index.body())).isEqualTo(own);
            Object about = at(Json.parse(index.body(), Json.Limits.DEFAULT), "manifests", 1, "digest");
            Object layer = at(Json.parse(get(registry, "manifests/" + about).body(), Json.Limits.DEFAULT), "layers", 0);
            byte[] statement = get(registry, "blobs/" + at(layer, "digest")).body();
            assertThat(at(Json.parse(statement, Json.Limits.DEFAULT), "subject", 0, "digest", "sha256"))
                    .isEqualTo(result.image().manifest().hex());

            for (StoredImage image : bed.images.list()) {
                bed.images.remove(image);
            }
            StoredImage pulled = bed.images.pull(name, RegistryLogins.none(), PullListener.none());
            assertThat(pulled.manifest()).isEqualTo(result.image().manifest());
            assertThat(pulled.pulled()).isEqualTo(own);
            assertThat(pulled.index()).isEqualTo(result.image().index());

            ImageReference second = ImageReference.parse(registry.host + "/app:2");
            bed.images.push(bed.images.tag(pulled, second), RegistryLogins.none(), PullListener.none());
            assertThat(Digest.of(get(registry, "manifests/2").body())).isEqualTo(own);
        }
    }

    @Test
    void files_that_are_handed_out_have_the_statement_beside_them() throws Exception {
        BuildResult result = build(provenance(false), Map.of(), LINES);
        Path out = directory.resolve("out");
        Path archive = directory.resolve("out.tar");
        try (BuildOutput output = BuildOutput.of(result, bed.images);
                var tar = Files.newOutputStream(archive)) {
            output.copyTo(out);
            output.archive(tar, Optional.empty());
        }
        byte[] statement = Files.readAllBytes(out.resolve("provenance.json"));
        assertThat(Json.parse(statement, Json.Limits.DEFAULT)).isEqualTo(statement(result));

        Process tar = new ProcessBuilder("tar", "-xOf", archive.toString(), "provenance.json").start();
        assertThat(tar.getInputStream().readAllBytes()).isEqualTo(statement);
        assertThat(tar.waitFor()).isZero();
    }

    @Test
    void a_file_of_the_image_is_not_replaced_by_the_statement() throws Exception {
        String[] lines = {"FROM busybox:1", "RUN echo own >/provenance.json"};
        BuildResult stated = build(provenance(false), Map.of(), lines);
        assertThatThrownBy(() -> BuildOutput.of(stated, bed.images))
                .hasMessageContaining("/provenance.json")
                .hasMessageContaining("leave out --provenance");

        BuildResult plain = build(BuildNotes.none(), Map.of(), lines);
        try (BuildOutput output = BuildOutput.of(plain, bed.images)) {
            output.copyTo(directory.resolve("out"));
        }
        assertThat(directory.resolve("out/provenance.json")).hasContent("own");
    }

    private static HttpResponse<byte[]> get(DockerRegistry registry, String path) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpRequest request = HttpRequest.newBuilder(URI.create("http://" + registry.host + "/v2/app/" + path))
                    .header(
                            "Accept",
                            "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json")
                    .build();
            HttpResponse<byte[]> answer = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
            assertThat(answer.statusCode()).as(path).isEqualTo(200);
            return answer;
        }
    }
}
