package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.caisson.image.ImageException.Code;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class LayoutDocumentTest {
    private static LayoutDocument document(String json) {
        byte[] content = json.getBytes(StandardCharsets.UTF_8);
        return new LayoutDocument(Digest.of(content), content);
    }

    private static LayoutDocument configuration(String created) {
        return document("{\"os\":\"linux\",\"architecture\":\"amd64\",\"created\":\"" + created
                + "\",\"rootfs\":{\"diff_ids\":[\"" + Digest.of(new byte[0]) + "\"]}}");
    }

    @Test
    void a_configuration_is_read_once() {
        LayoutDocument document = configuration("2026-01-02T03:04:05Z");

        assertThat(document.config()).isSameAs(document.config());
        assertThat(document.config().created()).contains(Instant.parse("2026-01-02T03:04:05Z"));
        assertThat(configuration("yesterday").config().created()).isEmpty();
    }

    @Test
    void what_was_read_as_one_type_is_refused_as_another() {
        LayoutDocument document =
                document("{\"schemaVersion\":2,\"mediaType\":\"" + ImageIndex.MEDIA_TYPE + "\",\"manifests\":[]}");

        assertThat(document.manifest(ImageIndex.MEDIA_TYPE)).isSameAs(document.manifest(ImageIndex.MEDIA_TYPE));
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> document.manifest(NewImage.MANIFEST))
                .returns(Code.BAD_MANIFEST.name(), ImageException::code);
    }

    @Test
    void it_is_of_its_own_digest_and_size_alone() {
        byte[] content = "{}".getBytes(StandardCharsets.UTF_8);
        LayoutDocument document = document("{}");

        assertThat(document.isOf(descriptor(Digest.of(content), 2))).isTrue();
        assertThat(document.isOf(descriptor(Digest.of(content), 3))).isFalse();
        assertThat(document.isOf(descriptor(Digest.of(new byte[0]), 2))).isFalse();
    }

    private static Descriptor descriptor(Digest digest, long size) {
        return new Descriptor(NewImage.CONFIG, digest, size, Optional.empty(), Map.of());
    }
}
