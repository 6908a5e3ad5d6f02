package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Types of layers, as Docker and the OCI call them.
class MediaTypeTest {
    @ParameterizedTest
    @CsvSource({
        "vnd.docker.image.rootfs.diff.tar, vnd.oci.image.layer.v1.tar",
        "vnd.docker.image.rootfs.diff.tar.gzip, vnd.oci.image.layer.v1.tar+gzip",
        "vnd.docker.image.rootfs.diff.tar.zstd, vnd.oci.image.layer.v1.tar+zstd",
        "vnd.docker.image.rootfs.foreign.diff.tar, vnd.oci.image.layer.v1.tar",
        "vnd.docker.image.rootfs.foreign.diff.tar.gzip, vnd.oci.image.layer.v1.tar+gzip",
        "vnd.oci.image.layer.v1.tar, vnd.oci.image.layer.v1.tar",
        "vnd.oci.image.layer.v1.tar+zstd, vnd.oci.image.layer.v1.tar+zstd",
        "vnd.oci.image.layer.nondistributable.v1.tar+gzip, vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    })
    void a_layer_has_a_name_of_the_oci_s(String type, String oci) {
        assertThat(MediaType.isLayer("application/" + type)).isTrue();
        assertThat(MediaType.ociLayer("application/" + type)).isEqualTo("application/" + oci);
        assertThat(MediaType.isLayer(type)).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "vnd.oci.image.index.v1+json, true, false, false",
        "vnd.docker.distribution.manifest.list.v2+json, true, false, false",
        "vnd.oci.image.manifest.v1+json, false, true, false",
        "vnd.docker.distribution.manifest.v2+json, false, true, false",
        "vnd.oci.image.config.v1+json, false, false, true",
        "vnd.docker.container.image.v1+json, false, false, true",
        "vnd.oci.empty.v1+json, false, false, false",
    })
    void a_document_is_of_one_kind(String type, boolean isIndex, boolean isManifest, boolean isConfig) {
        String whole = "application/" + type;
        assertThat(MediaType.isIndex(whole)).isEqualTo(isIndex);
        assertThat(MediaType.isManifest(whole)).isEqualTo(isManifest);
        assertThat(MediaType.isConfig(whole)).isEqualTo(isConfig);
        assertThat(MediaType.isLayer(whole)).isFalse();
    }
}
