package dev.caisson.cli.text;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.Denial;
import dev.caisson.spec.DeniedDestination;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DenialTextTest {
    @Test
    void all_calls_that_a_profile_on_trial_lets_pass_are_shown() {
        assertThat(DenialText.lines(denials("ALLOW", 64)))
                .hasSize(64)
                .allMatch(line -> line.startsWith("caisson: WOULD DENY: "));
    }

    @Test
    void of_denied_calls_the_first_are_shown_and_the_others_counted() {
        assertThat(DenialText.lines(denials("ERRNO(EPERM)", 11)))
                .hasSize(9)
                .endsWith("caisson: and 3 other kinds of denied calls");
    }

    @Test
    void a_destination_is_told_by_name_address_and_port_as_far_as_they_are_known() {
        assertThat(DenialText.destinations(List.of(
                        new DeniedDestination("api.test", "192.0.2.2", 81, "tcp", "it is not on its list"),
                        new DeniedDestination("", "2001:db8::2", 82, "udp", "it is not on its list"),
                        new DeniedDestination("evil.test\u001b[2J", "", 0, "dns", "the name is not on its list"),
                        new DeniedDestination("", "192.0.2.9", 0, "icmp", "it is not on its list"))))
                .containsExactly(
                        "caisson: DENIED: api.test (192.0.2.2:81) by tcp, because it is not on its list",
                        "caisson: DENIED: [2001:db8::2]:82 by udp, because it is not on its list",
                        "caisson: DENIED: evil.test\ufffd[2J by dns, because the name is not on its list",
                        "caisson: DENIED: 192.0.2.9 by icmp, because it is not on its list");
        assertThat(DenialText.destinations(IntStream.range(1, 12)
                        .mapToObj(port -> new DeniedDestination("", "192.0.2.2", port, "tcp", "it is not on its list"))
                        .toList()))
                .hasSize(9)
                .endsWith("caisson: and 3 other destinations");
    }

    private static List<Denial> denials(String answer, int count) {
        return IntStream.range(0, count)
                .mapToObj(number -> new Denial("call" + number, answer, "", "", "", List.of(), 1))
                .toList();
    }
}
