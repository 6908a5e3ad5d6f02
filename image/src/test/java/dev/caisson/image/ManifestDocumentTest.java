package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ImageException.Code;
import dev.caisson.image.ManifestDocument.Index;
import dev.caisson.image.ManifestDocument.Manifest;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Manifests and indexes: what they name, and how much of it.
class ManifestDocumentTest {
    private static final String DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json";
    private static final String DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
    private static final Digest DIGEST = Digest.of(new byte[] {1});
    private static final String ENTRY =
            "{\"mediaType\":\"a/b\",\"digest\":\"" + DIGEST + "\",\"size\":7,\"annotations\":{\"k\":\"v\"},"
                    + "\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v7\"}}";
    private static final Descriptor READ =
            new Descriptor("a/b", DIGEST, 7, Optional.of(new Platform("linux", "arm", "v7")), Map.of("k", "v"));

    private static ManifestDocument parse(String type, String members) {
        return ManifestDocument.parse(type, ("{\"schemaVersion\":2," + members + "}").getBytes(StandardCharsets.UTF_8));
    }

    private static String list(String key, int count) {
        String shorter = "{\"digest\":\"" + DIGEST + "\",\"size\":0}";
        return "\"" + key + "\":[" + String.join(",", Collections.nCopies(count, shorter)) + "]";
    }

    private static void assertRefused(Code code, String part, String type, String members) {
        var refused = catchThrowableOfType(ImageException.class, () -> parse(type, members));
        assertThat(refused).as(members).isNotNull();
        assertThat(refused.reason()).as(refused.sentence()).isEqualTo(code);
        assertThat(refused.sentence()).contains(part);
    }

    @Test
    void both_kinds_are_read_in_either_form() {
        for (String type : List.of(SampleImage.INDEX_TYPE, DOCKER_LIST)) {
            assertThat(parse(type, "\"manifests\":[" + ENTRY + "," + ENTRY + "]"))
                    .isEqualTo(new Index(List.of(READ, READ)));
        }
        for (String type : List.of(SampleImage.MANIFEST_TYPE, DOCKER_MANIFEST)) {
            assertThat(parse(
                            type, "\"mediaType\":\"" + type + "\",\"config\":" + ENTRY + ",\"layers\":[" + ENTRY + "]"))
                    .isEqualTo(new Manifest(READ, List.of(READ)));
        }
        assertThat(parse(SampleImage.MANIFEST_TYPE, "\"config\":{\"digest\":\"" + DIGEST + "\",\"size\":0}"))
                .isEqualTo(new Manifest(new Descriptor("", DIGEST, 0, Optional.empty(), Map.of()), List.of()));
        assertThat(parse(
                        SampleImage.INDEX_TYPE,
                        "\"manifests\":[{\"digest\":\"" + DIGEST + "\",\"size\":0,\"platform\":{}}]"))
                .isEqualTo(new Index(
                        List.of(new Descriptor("", DIGEST, 0, Optional.of(new Platform("", "", "")), Map.of()))));
    }

    @Test
    void as_many_are_read_as_real_images_have() {
        assertThat(((Index) parse(SampleImage.INDEX_TYPE, list("manifests", 10_000))).manifests())
                .hasSize(10_000);
        assertRefused(
                Code.TOO_LARGE,
                "the index names more than 10000 images",
                SampleImage.INDEX_TYPE,
                list("manifests", 10_001));
        assertThat(((Manifest) parse(SampleImage.MANIFEST_TYPE, "\"config\":" + ENTRY + "," + list("layers", 500)))
                        .layers())
                .hasSize(500);
        assertRefused(
                Code.TOO_LARGE,
                "the manifest names more than 500 layers",
                SampleImage.MANIFEST_TYPE,
                "\"config\":" + ENTRY + "," + list("layers", 501));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "application/vnd.oci.image.index.v1+json; \"layers\":[]; is called an index and is a manifest",
                "application/vnd.oci.image.index.v1+json; \"config\":{}; is called an index and is a manifest",
                "application/vnd.oci.image.manifest.v1+json; \"manifests\":[]; is called a manifest and is an index",
                "application/vnd.oci.image.manifest.v1+json; \"layers\":[]; has no configuration",
                "application/vnd.oci.image.manifest.v1+json; \"layers\":[],\"manifests\":[]; is both manifest and index",
                "application/vnd.oci.image.manifest.v1+json; \"config\":{},\"manifests\":[]; is both manifest and index",
                "application/vnd.oci.image.manifest.v1+json; \"other\":[]; is both manifest and index, or neither",
                "application/vnd.oci.image.manifest.v1+json; \"mediaType\":\"x\",\"config\":{}; and calls itself \"x\"",
                "application/vnd.oci.image.index.v1+json; \"manifests\":[{}]; content without a size",
                "application/vnd.oci.image.index.v1+json; \"manifests\":[{\"size\":-1}]; content without a size",
                "application/vnd.oci.image.index.v1+json; \"manifests\":[{\"size\":1}]; has no digest",
                "application/vnd.oci.image.index.v1+json; \"manifests\":[{\"size\":1,\"digest\":\"sha256:x\"}];"
                        + "has the digest \"sha256:x\", which is none",
            })
    void what_says_two_things_or_too_little_is_refused(String type, String members, String part) {
        assertRefused(Code.BAD_MANIFEST, part, type, members);
    }

    @Test
    void other_types_versions_and_digests_are_refused() {
        assertRefused(Code.UNSUPPORTED_FORMAT, "a manifest of type \"a/b\"", "a/b", list("layers", 0));
        assertRefused(
                Code.UNSUPPORTED_FORMAT,
                "the image has the digest \"sha512:00\"; only sha256 is read",
                SampleImage.INDEX_TYPE,
                "\"manifests\":[{\"size\":1,\"digest\":\"sha512:00\"}]");
        for (String version : List.of("{", "{\"schemaVersion\":1,", "{\"schemaVersion\":3,")) {
            byte[] json = (version + "\"manifests\":[]}").getBytes(StandardCharsets.UTF_8);
            assertThat(catchThrowableOfType(
                                    ImageException.class, () -> ManifestDocument.parse(SampleImage.INDEX_TYPE, json))
                            .sentence())
                    .contains("is not of schema version 2");
        }
    }
}
