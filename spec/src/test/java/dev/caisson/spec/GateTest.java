package dev.caisson.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.ArgumentException;
import dev.caisson.image.Image;
import java.util.List;
import org.junit.jupiter.api.Test;

class GateTest {
    @Test
    void it_is_read_as_it_is_written() {
        List<Gate> all = List.of(
                Gate.of("gh").to("API.Example.com"),
                Gate.of("gh").to("api.example.com:8443").asBasic(""),
                Gate.of("gh").to("api.example.com").asBasic("x-access-token"),
                Gate.of("gh").to("api.example.com").asHeader("X-Api-Key"),
                Gate.of("gh").to("api.example.com").asQuery("key"),
                Gate.of("gh").to("api.example.com").asPlaceholder("ghp_none/+=-._~"),
                Gate.of("gh").to("api.example.com").as(new Gate.Placeholder("placeholder", "Cookie")),
                Gate.of("gh")
                        .to("api.example.com")
                        .methods("GET")
                        .methods("PUT")
                        .paths("/v1/*", "/%7euser/*/a%2fb"));
        for (Gate gate : all) {
            assertThat(Gate.parse(gate.text())).isEqualTo(gate);
        }
        assertThat(all.stream().map(Gate::text))
                .containsExactly(
                        "gh,api.example.com:443,bearer",
                        "gh,api.example.com:8443,basic",
                        "gh,api.example.com:443,basic:x-access-token",
                        "gh,api.example.com:443,header:X-Api-Key",
                        "gh,api.example.com:443,query:key",
                        "gh,api.example.com:443,placeholder:ghp_none/+=-._~",
                        "gh,api.example.com:443,placeholder:placeholder@Cookie",
                        "gh,api.example.com:443,bearer,method=GET,method=PUT,path=/v1/*,path=/~user/*/a%2Fb");
        assertThat(all.getFirst()).isEqualTo(Gate.of("gh").to("api.example.com").asBearer());
    }

    @Test
    void what_is_no_place_of_a_request_is_refused() {
        for (String place : List.of(
                "",
                "bearer:",
                "token",
                "basic:a:b",
                "basic:a,b",
                "basic:a b",
                "header",
                "header:",
                "header:a b",
                "header:Host",
                "header:content_length",
                "header:Transfer-Encoding",
                "query:",
                "placeholder",
                "placeholder:short",
                "placeholder:with a blank",
                "placeholder:long-enough@",
                "placeholder:long-enough@Host",
                "query:a&b")) {
            assertThatThrownBy(() -> Gate.Place.parse(place)).as(place).isInstanceOf(ArgumentException.class);
        }
        for (String host : List.of("", "*.example.com", "192.0.2.1", "a.example:80/udp", "https://a.example", "a b")) {
            assertThatThrownBy(() -> Gate.of("gh").to(host)).as(host).isInstanceOf(ArgumentException.class);
        }
        Gate gate = Gate.of("gh").to("a.example");
        for (String method : List.of("", "get", "CONNECT", "TRACE", "GET,PUT", "G T")) {
            assertThatThrownBy(() -> gate.methods(method)).as(method).isInstanceOf(ArgumentException.class);
        }
        for (String path : List.of(
                "", "v1", "*", "/a b", "/a?b", "/a#b", "/a,b", "/a%2", "/../a", "/a//b", "/**", "/a*b*", "/%2e%2e/a")) {
            assertThatThrownBy(() -> gate.paths(path)).as(path).isInstanceOf(ArgumentException.class);
        }
        assertThatThrownBy(() -> Gate.parse("gh,a.example:443,bearer,verb=GET")).isInstanceOf(ArgumentException.class);
        assertThatThrownBy(() -> Gate.parse("gh,a.example:443")).hasMessageContaining("SECRET,HOST:PORT,PLACE");
    }

    @Test
    void a_host_is_on_a_list_with_its_port_alone() {
        Gate gate = Gate.of("gh").to("api.example.com");
        assertThat(gate.isOn(Egress.only("api.example.com:443"))).isTrue();
        assertThat(gate.isOn(Egress.only("*.example.com:443"))).isTrue();
        for (Egress other : List.of(
                Egress.all(),
                Egress.none(),
                Egress.only("api.example.com:80", "api.example.com:443/udp", "0.0.0.0/0:443"))) {
            assertThat(gate.isOn(other)).isFalse();
        }
    }

    private static final ContainerSpec SPEC = ContainerSpec.of(Image.host())
            .network(Network.on("web").egress(Egress.only("x.example:443", "y.example:443")));

    @Test
    void two_secrets_do_not_share_a_place() {
        ContainerSpec spec = SPEC.secret(Gate.of("a").to("x.example").asBearer());
        for (Gate other : List.of(
                Gate.of("b").to("x.example"),
                Gate.of("b").to("x.example").asBasic("u"),
                Gate.of("b").to("x.example").asHeader("authorization"))) {
            assertThatThrownBy(() -> spec.secret(other))
                    .hasMessageContaining("the same place of requests to x.example:443");
        }
        ContainerSpec more = spec.secret(Gate.of("b").to("x.example").asHeader("X-Team"))
                .secret(Gate.of("b").to("y.example"));
        assertThat(gates(more)).hasSize(3);
        assertThat(SpecJson.read(SpecJson.write(more))).isEqualTo(more);
    }

    @Test
    void a_gate_is_refused_by_a_network_that_may_not_send_to_its_host_alone() {
        Gate gate = Gate.of("gh").to("x.example");
        for (Network network : List.of(
                Network.none(),
                Network.ofHost(),
                Network.ofContainer("db"),
                Network.on("web"),
                Network.on("web").egress(Egress.none()),
                Network.on("web").egress(Egress.only("y.example:443", "x.example:80")))) {
            ContainerSpec spec = SPEC.network(network);
            assertThatThrownBy(() -> spec.secret(gate))
                    .isInstanceOfSatisfying(
                            ArgumentException.class, e -> assertThat(e.code()).isEqualTo("ARGUMENT_INVALID"))
                    .hasMessageContaining("secret gh has a gate to x.example:443, which is not on a list")
                    .hasMessageContaining("Egress.only(\"x.example:443\")");
        }
        assertThat(gates(SPEC.secret(gate))).containsExactly(gate);
        assertThat(gates(SPEC)).isEmpty();
    }

    private static List<Gate> gates(ContainerSpec spec) {
        return ((Network.Joined) spec.network()).gates();
    }
}
