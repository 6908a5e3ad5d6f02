package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Placement;
import dev.caisson.spec.WritableLayer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Each refusal of a place among the control groups and of a writable layer, and what is just good enough.
class PlacementRulesTest {
    private static final WritableLayer STANDARD = WritableLayer.STANDARD;
    private static final HostFacts DISK =
            Samples.host().withLayerMedia(Set.of(LayerMedium.MEMORY, LayerMedium.PROJECT, LayerMedium.IMAGE));
    private static final HostFacts IMAGES =
            Samples.host().withLayerMedia(Set.of(LayerMedium.MEMORY, LayerMedium.IMAGE));

    private static List<Finding> findings(ContainerSpec spec, HostFacts host) {
        var findings = new ArrayList<Finding>();
        PlacementRules.check(spec, host, findings);
        return findings;
    }

    private static List<String> codes(ContainerSpec spec, HostFacts host) {
        return findings(spec, host).stream().map(Finding::code).toList();
    }

    private static List<String> parent(String path) {
        return codes(Samples.spec().placement(new Placement.Parent(path)), Samples.host());
    }

    private static List<String> tenant(String name) {
        return codes(Samples.spec().placement(new Placement.Tenant(name, Optional.empty())), Samples.host());
    }

    private static List<String> layer(WritableLayer layer, HostFacts host) {
        return codes(
                Samples.spec()
                        .limits(Limits.defaults().memory(Bytes.mebibytes(64)))
                        .writableLayer(layer),
                host);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "0", "A.b-c_d", "a..b"})
    void names_of_tenants_pass(String name) {
        assertThat(tenant(name)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", ".a", "-a", "_a", "a/b", "a b", "a\n", "é"})
    void what_is_no_name_of_a_tenant_is_refused(String name) {
        assertThat(tenant(name)).containsExactly("TENANT_NAME");
    }

    @Test
    void a_tenant_s_name_has_at_most_64_characters() {
        assertThat(tenant("a".repeat(64))).isEmpty();
        assertThat(tenant("a".repeat(65))).containsExactly("TENANT_NAME");
    }

    @ParameterizedTest
    @ValueSource(strings = {"jobs", "jobs/nightly", "_jobs/a.b-c", "a/b/c", "jobs/my-caisson", "jobscaisson"})
    void parents_of_the_caller_s_own_pass(String path) {
        assertThat(parent(path)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/",
                "/jobs",
                "jobs/",
                "jobs//a",
                ".",
                "..",
                "../jobs",
                "jobs/../a",
                "jobs/.a",
                "-jobs",
                "jobs a",
                "jobs\n",
                "caisson",
                "caisson-2/a",
                "jobs/caisson",
                "jobs/caisson-tenant"
            })
    void parents_that_lead_elsewhere_or_belong_to_an_engine_are_refused(String path) {
        assertThat(parent(path)).containsExactly("CGROUP_PARENT");
    }

    @Test
    void an_engine_s_parent_is_refused_as_such() {
        for (String path : List.of("caisson/a", "jobs/caisson")) {
            assertThat(findings(Samples.spec().placement(new Placement.Parent(path)), Samples.host()))
                    .singleElement()
                    .satisfies(finding -> assertThat(finding.sentence()).contains("belong to engines"));
        }
    }

    @Test
    void a_parent_s_path_has_at_most_256_characters() {
        assertThat(parent("a".repeat(256))).isEmpty();
        assertThat(parent("a".repeat(257))).containsExactly("CGROUP_PARENT");
    }

    @Test
    void a_layer_s_size_is_at_least_64_kibibytes_and_bounded() {
        assertThat(layer(STANDARD.size(Bytes.of(64 << 10)), DISK)).isEmpty();
        assertThat(layer(STANDARD.size(Bytes.of((64 << 10) - 1)), DISK)).containsExactly("STORAGE_SIZE");
        assertThat(layer(STANDARD.size(Bytes.UNLIMITED), DISK)).containsExactly("STORAGE_SIZE");
    }

    @Test
    void a_layer_on_disk_needs_a_size_and_a_disk_that_bounds_it() {
        WritableLayer disk = STANDARD.place(WritableLayer.Place.DISK);

        assertThat(layer(disk, DISK)).containsExactly("STORAGE_SIZE");
        assertThat(layer(disk.size(Bytes.mebibytes(1)), DISK)).isEmpty();
        assertThat(layer(disk.size(Bytes.mebibytes(1)), IMAGES)).isEmpty();
        assertThat(layer(disk.size(Bytes.of((1 << 20) - 1)), IMAGES)).containsExactly("STORAGE_UNAVAILABLE");
        assertThat(layer(disk.size(Bytes.mebibytes(1)), Samples.host())).containsExactly("STORAGE_UNAVAILABLE");
    }

    @Test
    void a_layer_in_memory_is_smaller_than_the_memory_limit() {
        WritableLayer memory = STANDARD.place(WritableLayer.Place.MEMORY);

        assertThat(layer(memory, DISK)).isEmpty();
        assertThat(layer(memory.size(Bytes.of((64 << 20) - 1)), DISK)).isEmpty();
        assertThat(layer(memory.size(Bytes.mebibytes(64)), DISK)).containsExactly("STORAGE_ABOVE_MEMORY");
        assertThat(layer(STANDARD.size(Bytes.of((64 << 20) - 1)), Samples.host()))
                .isEmpty();
        assertThat(layer(STANDARD.size(Bytes.mebibytes(64)), Samples.host())).containsExactly("STORAGE_UNAVAILABLE");
    }

    @Test
    void less_memory_is_proposed_only_where_memory_would_do() {
        WritableLayer large = STANDARD.size(Bytes.gibibytes(1));

        assertThat(findings(Samples.spec().writableLayer(large), Samples.host()))
                .singleElement()
                .satisfies(finding -> assertThat(finding.sentence()).contains("ask for less than --memory"));
        assertThat(findings(Samples.spec().writableLayer(large.place(WritableLayer.Place.DISK)), Samples.host()))
                .singleElement()
                .satisfies(finding -> assertThat(finding.sentence()).doesNotContain("--memory"));
    }

    @Test
    void a_layer_holds_16_to_1048576_files() {
        assertThat(layer(STANDARD.inodes(16), DISK)).isEmpty();
        assertThat(layer(STANDARD.inodes(15), DISK)).containsExactly("STORAGE_INODES");
        assertThat(layer(STANDARD.inodes(1 << 20), DISK)).isEmpty();
        assertThat(layer(STANDARD.inodes((1 << 20) + 1), DISK)).containsExactly("STORAGE_INODES");
    }

    @Test
    void a_read_only_root_has_no_layer_to_size() {
        ContainerSpec readOnly = Samples.spec().readOnlyRoot(true);

        assertThat(codes(readOnly, DISK)).isEmpty();
        assertThat(codes(readOnly.writableLayer(STANDARD.inodes(64)), DISK)).containsExactly("OPTIONS_CONTRADICT");
        assertThat(layer(STANDARD.inodes(64), DISK)).isEmpty();
    }
}
