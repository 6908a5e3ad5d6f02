package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// resolv.conf(5) of a host, and what a container gets of it.
class ResolverFileTest {
    @Test
    void a_line_may_begin_with_blanks_and_have_tabs() {
        assertThat(ResolverFile.parse("  nameserver\t192.0.2.1 \n\t search a.example  b.example\noptions ndots:2\n")
                        .text())
                .isEqualTo("nameserver 192.0.2.1\nsearch a.example b.example\noptions ndots:2\n");
    }

    @Test
    void three_servers_are_written_as_no_program_asks_more() {
        String four = "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver fd00::3\nnameserver 192.0.2.4\n";
        assertThat(ResolverFile.parse(four).text())
                .isEqualTo("nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver fd00::3\n");
    }

    @Test
    void servers_that_only_the_host_reaches_and_what_is_no_address_are_left_out() {
        String odd = """
                nameserver 127.0.0.53
                nameserver ::1
                nameserver fe80::1
                nameserver 0.0.0.0
                nameserver
                nameserver example.com
                # nameserver 192.0.2.9
                nameserver 192.0.2.5 192.0.2.6
                """;
        assertThat(ResolverFile.parse(odd).text()).isEqualTo("nameserver 192.0.2.5\n");
    }

    @Test
    void the_last_search_counts() {
        assertThat(ResolverFile.parse("search a.example\ndomain b.example\n").text())
                .isEqualTo("search b.example\n");
    }
}
