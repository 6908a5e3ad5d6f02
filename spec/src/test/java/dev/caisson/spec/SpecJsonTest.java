package dev.caisson.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.Image;
import dev.caisson.image.ImageReference;
import dev.caisson.text.Json;
import java.lang.reflect.Modifier;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// A specification that was written down is read back as it was, by this version and later ones.
class SpecJsonTest {
    private static final int SPECS = 60;

    /// As the first version of the format writes what has all of its defaults.
    private static final String FIRST_VERSION = """
            {"version":1,"image":{"kind":"host"},"command":["id"],"environment":[],"addedGroups":[],
            "limits":{"memory":1073741824,"oomKillDisable":false,"cpuShares":1024,"ioWeights":[],"io":[],"pids":512,
            "hugePages":[],"bestEffort":false},"placement":{"kind":"standard"},"writableLayer":{"place":"ANY"},
            "network":{"kind":"none"},"mounts":[],"devices":[],"readOnlyRoot":false,"privileged":false,
            "addedCapabilities":[],"droppedCapabilities":[],"newPrivileges":false,"seccomp":{"kind":"standard"},
            "sysctls":[],"rlimits":[],"interactive":false,"init":true,"oomScoreAdjustment":500,"outputLimit":16777216,
            "sharedMemory":67108864,"allowances":[],"sharedNamespaces":[],"labels":[],"stopSignal":0,
            "stopTimeout":"PT10S"}""";

    @Test
    void every_spec_is_read_back_as_it_was() throws ReflectiveOperationException {
        for (int seed = 0; seed < SPECS; seed++) {
            ContainerSpec spec = new AnyValue(new Random(seed)).spec();

            String written = SpecJson.write(spec);
            ContainerSpec read = SpecJson.read(written);

            assertThat(SpecFields.of(read)).as("seed " + seed).isEqualTo(SpecFields.of(spec));
            assertThat(List.copyOf(read.environment().keySet()))
                    .as("order of variables")
                    .isEqualTo(List.copyOf(spec.environment().keySet()));
            assertThat(SpecJson.write(read)).isEqualTo(written);
        }
    }

    private static Stream<Arguments> forms() {
        return Stream.of(
                Arguments.of(Limits.class, LimitsJson.LIMITS),
                Arguments.of(CpuQuota.class, LimitsJson.QUOTA),
                Arguments.of(IoWeight.class, LimitsJson.IO_WEIGHT),
                Arguments.of(IoLimit.class, LimitsJson.IO_LIMIT),
                Arguments.of(DeviceRule.class, LimitsJson.DEVICE_RULE),
                Arguments.of(Image.Directory.class, PartsJson.DIRECTORY),
                Arguments.of(Image.OciLayout.class, PartsJson.OCI_LAYOUT),
                Arguments.of(Image.DockerArchive.class, PartsJson.DOCKER_ARCHIVE),
                Arguments.of(Placement.Parent.class, PartsJson.PARENT),
                Arguments.of(Placement.Tenant.class, PartsJson.TENANT),
                Arguments.of(WritableLayer.class, PartsJson.LAYER),
                Arguments.of(Mount.Bind.class, PartsJson.BIND),
                Arguments.of(Mount.Tmpfs.class, PartsJson.TMPFS),
                Arguments.of(Mount.Workspace.class, PartsJson.WORKSPACE),
                Arguments.of(Mount.ImageFiles.class, PartsJson.IMAGE_FILES),
                Arguments.of(SecretFile.class, PartsJson.SECRET),
                Arguments.of(Mount.Secrets.class, PartsJson.SECRETS),
                Arguments.of(HostDevice.class, PartsJson.DEVICE),
                Arguments.of(Rlimit.class, PartsJson.RLIMIT),
                Arguments.of(SeccompChoice.Custom.class, PartsJson.CUSTOM),
                Arguments.of(SeccompChoice.Watched.class, PartsJson.WATCHED),
                Arguments.of(NetworkEndpoint.class, NetworkJson.ENDPOINT),
                Arguments.of(PortMapping.class, NetworkJson.MAPPING),
                Arguments.of(ContainerPort.class, NetworkJson.PORT),
                Arguments.of(PublishedPorts.class, NetworkJson.PORTS),
                Arguments.of(ExtraHost.class, NetworkJson.HOST),
                Arguments.of(NameLookup.class, NetworkJson.NAMES),
                Arguments.of(Network.Joined.class, NetworkJson.JOINED),
                Arguments.of(HostServices.class, NetworkJson.HOST_SERVICES),
                Arguments.of(Network.OfContainer.class, NetworkJson.OF_CONTAINER),
                Arguments.of(Network.Host.class, NetworkJson.OF_HOST),
                Arguments.of(TerminalSize.class, SpecJson.SIZE));
    }

    @ParameterizedTest
    @MethodSource("forms")
    void every_part_of_a_record_is_written(Class<?> type, JsonForm<?> form) {
        assertThat(form.names())
                .containsExactlyInAnyOrderElementsOf(Arrays.stream(type.getRecordComponents())
                        .map(RecordComponent::getName)
                        .toList());
    }

    @Test
    void every_field_of_the_spec_is_written() {
        assertThat(SpecJson.SPEC.names())
                .as("a new field of ContainerSpec belongs into SpecJson")
                .containsExactlyInAnyOrderElementsOf(Arrays.stream(ContainerSpec.class.getDeclaredFields())
                        .filter(field -> !Modifier.isStatic(field.getModifiers()))
                        .map(field -> field.getName())
                        .toList());
    }

    @Test
    void mounts_of_volumes_and_images_are_read_back_with_all_of_them() {
        var data = new Mount.Volume(Optional.of(new VolumeName("data")), InRootPath.of("a"), true, false)
                .subpath(InRootPath.of("x y/z"))
                .made(VolumeSpec.unnamed().size("32m").inodes(100).label("k", "v"));
        var image = new Mount.ImageFiles(
                ImageReference.parse("tools:1"), InRootPath.of("b"), Optional.of(InRootPath.of("opt")));
        ContainerSpec spec = ContainerSpec.of(Image.host(), "id").mount(data).mount(image);

        assertThat(SpecJson.read(SpecJson.write(spec)).mounts()).containsExactly(data, image);
    }

    @Test
    void secrets_are_read_back_as_they_were_written() {
        SecretFile db = SecretFile.of("db");
        ContainerSpec spec = ContainerSpec.of(Image.host(), "id")
                .mount(new Mount.Secrets(
                        List.of(db, db.file("copy").owner(7, 8).mode(0440), SecretFile.of("tls.key"))));
        assertThat(SpecJson.read(SpecJson.write(spec))).isEqualTo(spec);
        assertThat(SecretFile.of("tls.key-2").variable()).isEqualTo("TLS_KEY_2_FILE");
        assertThatThrownBy(() -> new Mount.Secrets(List.of(db, db.mode(0)))).hasMessageContaining("another target");
        assertThatThrownBy(() -> db.mode(04755)).hasMessageContaining("0400");
        assertThatThrownBy(() -> db.owner(65_536, 0)).hasMessageContaining("65535");
    }

    @Test
    void what_the_first_version_wrote_is_read() {
        assertThat(SpecJson.read(FIRST_VERSION)).isEqualTo(ContainerSpec.of(Image.host(), "id"));
    }

    /// Nobody was ever found by them, but the container must be shown, started and removed.
    @Test
    void names_that_an_earlier_version_took_and_no_question_can_carry_are_left_out() {
        String text = SpecJson.write(SpecJson.read(FIRST_VERSION)
                        .network(new Network.Joined(
                                List.of(NetworkEndpoint.on("net").alias("web")),
                                PublishedPorts.NONE,
                                new NameLookup(List.of(), List.of("example.com"), List.of(), List.of()),
                                Egress.all())))
                .replace("[\"web\"]", "[\"x..y\",\"web\",\"" + "a".repeat(64) + "\"]")
                .replace("[\"example.com\"]", "[\"x..y\",\"example.com\"]");

        var read = (Network.Joined) SpecJson.read(text).network();

        assertThat(read.endpoints().getFirst().aliases()).containsExactly("web");
        assertThat(read.names().search()).containsExactly("example.com");
    }

    @Test
    void a_field_that_is_missing_has_its_default() {
        assertThat(SpecJson.read("{\"version\":1,\"image\":{\"kind\":\"host\"}}"))
                .isEqualTo(ContainerSpec.of(Image.host()));
        ContainerSpec known = ContainerSpec.of(Image.host(), "id");
        for (String name :
                SpecJson.SPEC.names().subList(2, SpecJson.SPEC.names().size())) {
            Map<String, Object> fields = new LinkedHashMap<>(Json.parseObject(FIRST_VERSION, Json.Limits.DEFAULT));
            fields.remove(name);
            assertThat(SpecJson.read(
                            io.avaje.json.mapper.JsonMapper.builder().build().toJson(fields)))
                    .as("without " + name)
                    .isEqualTo(known);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "{",
                "{}",
                "{\"version\":0,\"image\":{\"kind\":\"host\"}}",
                "{\"version\":\"1\",\"image\":{\"kind\":\"host\"}}",
                "{\"version\":1}",
                "{\"version\":1,\"image\":\"host\"}",
                "{\"version\":1,\"image\":{\"kind\":\"moon\"}}",
                "{\"version\":1,\"image\":{\"kind\":\"host\",\"path\":\"/\"}}",
                "{\"version\":1,\"image\":{\"kind\":\"host\"},\"confined\":true}",
                "{\"version\":1,\"image\":{\"kind\":\"host\"},\"privileged\":\"no\"}",
                "{\"version\":1,\"image\":{\"kind\":\"host\"},\"privileged\":0}",
                "{\"version\":1,\"image\":{\"kind\":\"host\"},\"stopSignal\":4294967296}",
                "{\"version\":1,\"image\":{\"kind\":\"host\"},\"stopSignal\":1.5}",
                "{\"version\":1,\"image\":{\"kind\":\"host\"},\"stopTimeout\":\"soon\"}",
                "{\"version\":1,\"image\":{\"kind\":\"host\"},\"command\":[null]}",
                "{\"version\":1,\"image\":{\"kind\":\"host\"},\"command\":[{\"bytes\":\"?\"}]}",
                "{\"version\":1,\"image\":{\"kind\":\"host\"},\"labels\":[[\"key\"]]}",
                "{\"version\":1,\"image\":{\"kind\":\"host\"},\"allowances\":[\"EVERYTHING\"]}",
                "{\"version\":1,\"image\":{\"kind\":\"host\"},\"limits\":{\"memory\":1}}",
                "{\"version\":1,\"image\":{\"kind\":\"host\"},\"network\":{\"kind\":\"joined\"}}",
                "{\"version\":1,\"image\":{\"kind\":\"host\"},\"network\":{\"kind\":\"none\",\"endpoints\":[]}}",
                "{\"version\":1,\"image\":{\"kind\":\"host\"},\"limits\":{\"ram\":1}}",
                "{\"version\":1,\"image\":{\"kind\":\"host\"},\"mounts\":[{\"kind\":\"bind\",\"target\":\"../etc\"}]}"
            })
    void what_is_no_specification_is_refused(String text) {
        assertThatThrownBy(() -> SpecJson.read(text))
                .isInstanceOfSatisfying(
                        SpecException.class, e -> assertThat(e.code()).isEqualTo("SPEC_UNREADABLE"));
    }

    @Test
    void what_a_later_version_wrote_is_not_guessed_at() {
        assertThatThrownBy(() -> SpecJson.read("{\"version\":2,\"image\":{\"kind\":\"host\"}}"))
                .isInstanceOfSatisfying(
                        SpecException.class, e -> assertThat(e.code()).isEqualTo("SPEC_TOO_NEW"));
    }

    /// What is not said of a mount must not open anything.
    @Test
    void what_is_missing_of_a_mount_is_as_safe_as_it_gets() {
        Mount mount = SpecJson.read("{\"version\":1,\"image\":{\"kind\":\"host\"},"
                        + "\"mounts\":[{\"kind\":\"bind\",\"source\":\"/srv\",\"target\":\"data\"}]}")
                .mounts()
                .getFirst();
        assertThat(mount).isEqualTo(new Mount.Bind(java.nio.file.Path.of("/srv"), InRootPath.of("data"), true, false));
    }
}
