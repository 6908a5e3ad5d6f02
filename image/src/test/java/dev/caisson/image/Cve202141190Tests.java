package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ImageException.Code;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// CVE-2021-41190: one document that is a manifest to one reader and an index to another.
class Cve202141190Tests {
    private static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
    private static final String INDEX = "application/vnd.oci.image.index.v1+json";
    private static final String CONTENT =
            "{\"mediaType\":\"x\",\"digest\":\"sha256:" + "a".repeat(64) + "\",\"size\":1}";

    private static ManifestDocument parse(String type, String json) {
        return ManifestDocument.parse(type, json.replace("C", CONTENT).getBytes(StandardCharsets.UTF_8));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'schemaVersion':2,'config':C,'layers':[C],'manifests':[C]}",
                "{'schemaVersion':2,'layers':[C],'manifests':[C]}",
                "{'schemaVersion':2,'config':C,'manifests':[C]}",
                "{'schemaVersion':2,'config':C,'layers':[],'manifests':[]}",
                "{'schemaVersion':2}",
                "{'schemaVersion':1,'config':C,'layers':[C]}",
                "{'schemaVersion':2,'mediaType':'application/other','config':C,'layers':[C]}",
                "{'schemaVersion':2,'config':C,'layers':[C],'layers':[C]}",
                "{'schemaVersion':2,'config':C,'layers':[C],'layer\\u0073':[C]}",
                "{'schemaVersion':2,'config':C,'layers':[C],'Layers':[C]}",
                "{'schemaVersion':2,'config':C,'layers':[C],'MANIFESTS':[C]}",
                "{'schemaVersion':2.0,'config':C,'layers':[C]}",
                "{'schemaVersion':2,'config':C,'layers':[C]}{}",
                "{'schemaVersion':2,'config':C,'layers':[C]},0]",
                "{'schemaVersion':2,'config':C,'layers':[C]",
                "[]",
                "",
                "null",
            })
    void is_refused_as_manifest_and_as_index(String json) {
        for (String type : new String[] {MANIFEST, INDEX}) {
            var refused = catchThrowableOfType(ImageException.class, () -> parse(type, json.replace('\'', '"')));
            assertThat(refused).as(json).isNotNull();
            assertThat(refused.reason()).isEqualTo(Code.BAD_MANIFEST);
        }
    }

    @Test
    void a_document_that_is_one_thing_is_read_as_that_and_not_as_the_other() {
        String manifest = "{\"schemaVersion\":2,\"config\":C,\"layers\":[C]}";
        String index = "{\"schemaVersion\":2,\"manifests\":[C]}";
        assertThat(parse(MANIFEST, manifest)).isInstanceOf(ManifestDocument.Manifest.class);
        assertThat(parse(INDEX, index)).isInstanceOf(ManifestDocument.Index.class);
        assertThat(catchThrowableOfType(ImageException.class, () -> parse(INDEX, manifest)))
                .isNotNull();
        assertThat(catchThrowableOfType(ImageException.class, () -> parse(MANIFEST, index)))
                .isNotNull();
    }

    @Test
    void depth_numbers_and_encoding_are_bounded() {
        String nested = "{\"a\":" + "[".repeat(40) + "]".repeat(40) + "}";
        String number = "{\"a\":" + "1".repeat(2000) + "}";
        for (byte[] json : new byte[][] {
            nested.getBytes(StandardCharsets.UTF_8), number.getBytes(StandardCharsets.UTF_8), {'{', '"', (byte) 0xff}
        }) {
            var refused = catchThrowableOfType(ImageException.class, () -> JsonObject.parse("it", json));
            assertThat(refused).isNotNull();
            assertThat(refused.reason()).isEqualTo(Code.BAD_MANIFEST);
        }
    }
}
