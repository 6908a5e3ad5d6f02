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
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/// How many statements may stand beside an image, and how large.
class ForeignStatementsBoundsTest {
    private static final Descriptor IMAGE = descriptor(1, 10, Map.of());
    private static final Map<String, String> ABOUT = Map.of(
            "vnd.docker.reference.type",
            "attestation-manifest",
            "vnd.docker.reference.digest",
            IMAGE.digest().toString());

    private static Descriptor descriptor(int number, long size, Map<String, String> annotations) {
        Digest digest = Digest.of(new byte[] {(byte) number, (byte) (number >> 8)});
        return new Descriptor(SampleImage.MANIFEST_TYPE, digest, size, Optional.empty(), annotations);
    }

    private static ForeignStatements beside(List<Descriptor> entries) {
        return new ForeignStatements(IMAGE, IMAGE, new Index(entries));
    }

    private static List<Descriptor> sized(long... sizes) {
        return IntStream.range(0, sizes.length)
                .mapToObj(i -> descriptor(100 + i, sizes[i], ABOUT))
                .toList();
    }

    private static void assertTooLarge(String part, ThrowingCallable call) {
        var refused = catchThrowableOfType(ImageException.class, call);
        assertThat(refused).isNotNull();
        assertThat(refused.reason()).isEqualTo(Code.TOO_LARGE);
        assertThat(refused.sentence())
                .isEqualTo("the image " + IMAGE.digest() + " has " + part
                        + "; name its manifest by its digest to leave them out");
    }

    @Test
    void only_statements_about_the_image_are_of_it() {
        Descriptor own = descriptor(2, 1, ABOUT);
        Descriptor others = descriptor(
                3, 1, Map.of("vnd.docker.reference.type", "attestation-manifest", "vnd.docker.reference.digest", "x"));
        Descriptor other = descriptor(
                4,
                1,
                Map.of(
                        "vnd.docker.reference.type",
                        "x",
                        "vnd.docker.reference.digest",
                        IMAGE.digest().toString()));
        assertThat(beside(List.of(IMAGE, others, own, other)).manifests()).containsExactly(own);
    }

    @Test
    void there_are_at_most_64_manifests_of_four_mebibytes() {
        List<Descriptor> most = sized(IntStream.range(0, 64).mapToLong(_ -> 1).toArray());
        assertThat(beside(most).manifests()).hasSize(64);
        assertTooLarge(
                "more than 64 manifests of statements beside it",
                () -> beside(Stream.concat(most.stream(), Stream.of(descriptor(3, 1, ABOUT)))
                                .toList())
                        .manifests());
        assertThat(beside(sized(1, (4 << 20) - 1)).manifests()).hasSize(2);
        assertThat(beside(sized(4 << 20, 0)).manifests()).hasSize(2);
        for (List<Descriptor> more : List.of(sized(2, (4 << 20) - 1), sized((4 << 20) + 1), sized(1, Long.MAX_VALUE))) {
            assertTooLarge(
                    "more than 4 MiB of manifests of statements beside it",
                    () -> beside(more).manifests());
        }
    }

    private static List<Manifest> naming(Descriptor config, List<Descriptor> layers) {
        return List.of(new Manifest(config, layers));
    }

    @Test
    void they_name_at_most_1024_statements_of_256_mebibytes() {
        var statements = beside(List.of());
        Descriptor small = descriptor(5, 1, Map.of());
        assertThat(statements.blobs(naming(small, Collections.nCopies(1023, small))))
                .hasSize(1024);
        assertTooLarge(
                "more than 1024 statements beside it",
                () -> statements.blobs(naming(small, Collections.nCopies(1024, small))));
        assertThat(statements.blobs(naming(small, sized((256 << 20) - 1))))
                .hasSize(2)
                .startsWith(small);
        assertTooLarge(
                "more than 256 MiB of statements beside it", () -> statements.blobs(naming(small, sized(256 << 20))));
    }

    @Test
    void a_manifest_of_statements_is_no_index() {
        Descriptor entry = new Descriptor(SampleImage.INDEX_TYPE, IMAGE.digest(), 1, Optional.empty(), ABOUT);
        byte[] index = "{\"schemaVersion\":2,\"manifests\":[]}".getBytes(StandardCharsets.UTF_8);
        var refused = catchThrowableOfType(ImageException.class, () -> ForeignStatements.manifest(entry, index));
        assertThat(refused.reason()).isEqualTo(Code.BAD_MANIFEST);
        assertThat(refused.sentence()).contains(IMAGE.digest().toString(), "is an index");
    }
}
