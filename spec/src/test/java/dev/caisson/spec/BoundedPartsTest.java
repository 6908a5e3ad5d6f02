package dev.caisson.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.ArgumentException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Parts of a spec that have a bound: the last that is taken, and the first that is not.
class BoundedPartsTest {
    private static final InetAddress SERVER = InetAddress.ofLiteral("192.0.2.1");

    private static NameLookup lookup(int servers, int search, int options, int hosts) {
        return new NameLookup(
                Collections.nCopies(servers, SERVER),
                Collections.nCopies(search, "example.com"),
                Collections.nCopies(options, "ndots:2"),
                Collections.nCopies(hosts, ExtraHost.parse("db:192.0.2.2")));
    }

    @Test
    void a_lookup_has_sixteen_of_each_and_512_hosts() {
        assertThat(lookup(16, 16, 16, 512).hosts()).hasSize(512);
        assertThatThrownBy(() -> lookup(17, 0, 0, 0)).hasMessageContaining("17 DNS servers");
        assertThatThrownBy(() -> lookup(0, 17, 0, 0)).hasMessageContaining("17 search domains");
        assertThatThrownBy(() -> lookup(0, 0, 17, 0)).hasMessageContaining("17 DNS options");
        assertThatThrownBy(() -> lookup(0, 0, 0, 513)).hasMessageContaining("513 further hosts");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0.0.0.0", "::"})
    void a_server_has_an_address_of_its_own(String address) {
        assertThatThrownBy(() -> new NameLookup(
                        List.of(SERVER, InetAddress.ofLiteral(address)), List.of(), List.of(), List.of()))
                .hasMessageContaining("an address of its own");
    }

    @Test
    void the_host_has_64_ports_and_64_names() {
        List<ContainerPort> ports = IntStream.rangeClosed(1, 64)
                .mapToObj(port -> new ContainerPort(port, Transport.TCP))
                .toList();
        List<String> names =
                IntStream.rangeClosed(1, 64).mapToObj(number -> "host" + number).toList();
        assertThat(new HostServices(ports, names).allNames()).hasSize(65);
        var more = new ArrayList<>(names);
        more.add("another");
        assertThatThrownBy(() -> new HostServices(ports, more)).hasMessageContaining("65 ports or names");
        var another = new ArrayList<>(ports);
        another.add(new ContainerPort(65, Transport.TCP));
        assertThatThrownBy(() -> new HostServices(another, names)).hasMessageContaining("65 ports or names");
    }

    @Test
    void a_volume_s_name_has_2_to_128_characters_and_no_other_is_shown_whole() {
        assertThat(new VolumeName("ab").value()).isEqualTo("ab");
        assertThat(new VolumeName("a".repeat(128)).value()).hasSize(128);
        for (String name : new String[] {"", "a", "-a", ".a", "a/b", "..", "a b", "a".repeat(129)}) {
            assertThatThrownBy(() -> new VolumeName(name)).isInstanceOf(ArgumentException.class);
        }
        assertThatThrownBy(() -> new VolumeName("x".repeat(1000)))
                .hasMessageContaining("'" + "x".repeat(128) + "…'")
                .message()
                .hasSizeLessThan(300);
        assertThatThrownBy(() -> new VolumeName("a\u001b[2Jb")).hasMessageContaining("'a?[2Jb'");
    }

    @Test
    void a_command_that_a_secret_runs_has_4096_characters_at_most() {
        String longest = "/bin/" + "x".repeat(4091);
        assertThat(OnSecretChange.parse("exec:" + longest)).isEqualTo(new OnSecretChange.Program(List.of(longest)));
        assertThatThrownBy(() -> OnSecretChange.parse("exec:" + longest + "x")).hasMessageContaining("1 to 4096");
        for (String command : new String[] {"exec:", "exec: ", "exec:a\u007f", "exec:a\u0001"}) {
            assertThatThrownBy(() -> OnSecretChange.parse(command)).hasMessageContaining("1 to 4096");
        }
        assertThatThrownBy(() -> new OnSecretChange.Program(List.of("a b"))).hasMessageContaining("has a blank");
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "64", "restart", "", "exec:/bin/reload --now"})
    void what_a_changed_secret_does_is_read_as_it_is_written(String text) {
        assertThat(OnSecretChange.parse(text).text()).isEqualTo(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "65", "100", "-1", "TERM", "exec"})
    void what_is_no_signal_is_refused(String text) {
        assertThatThrownBy(() -> OnSecretChange.parse(text)).isInstanceOf(ArgumentException.class);
    }

    @Test
    void a_workspace_has_a_file_for_16_kib_within_its_bounds() {
        assertThat(WorkspaceSpec.named("w").inodesOrStandard()).isEqualTo(65536);
        assertThat(WorkspaceSpec.named("w").size("16m").inodesOrStandard()).isEqualTo(1024);
        assertThat(WorkspaceSpec.named("w").size("1024g").inodesOrStandard()).isEqualTo(WorkspaceSpec.MOST_INODES);
        assertThat(WorkspaceSpec.named("w").inodes(64).inodesOrStandard()).isEqualTo(64);
        for (long inodes : new long[] {63, WorkspaceSpec.MOST_INODES + 1}) {
            assertThatThrownBy(() -> WorkspaceSpec.named("w").inodes(inodes)).hasMessageContaining("inodes: give 64");
        }
    }

    @ParameterizedTest
    @EnumSource
    void an_allowance_is_found_by_its_option(Allowance allowance) {
        assertThat(allowance.option()).matches("[a-z]+(-[a-z]+)*");
        assertThat(Allowance.parse(allowance.option())).contains(allowance);
        assertThat(Allowance.parse(allowance.name())).isEmpty();
    }
}
