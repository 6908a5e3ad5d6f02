package dev.caisson.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.ArgumentException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BandwidthTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    10mbit                 | 10000000   | 10000000 | 10mbit
                    10m                    | 10000000   | 10000000 | 10mbit
                    64000                  | 64000      | 64000    | 64kbit
                    1500KBIT               | 1500000    | 1500000  | 1500kbit
                    in=1gbit,out=20mbit    | 1000000000 | 20000000 | in=1gbit,out=20mbit
                    out=20mbit             | 0          | 20000000 | out=20mbit
                    in=20mbit              | 20000000   | 0        | in=20mbit
                    out=64001,in=64001     | 64001      | 64001    | 64001bit
                    all                    | 0          | 0        | all
                    """)
    void it_is_read_and_written(String text, long in, long out, String written) {
        Bandwidth bandwidth = Bandwidth.parse(text);
        assertThat(bandwidth).isEqualTo(new Bandwidth(in, out));
        assertThat(bandwidth.text()).isEqualTo(written);
        assertThat(Bandwidth.parse(written)).isEqualTo(bandwidth);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "0",
                "63kbit",
                "101gbit",
                "999999999999gbit",
                "10mb",
                "10 mbit",
                "-1mbit",
                "1.5mbit",
                "in=",
                "in=1mbit,in=1mbit",
                "up=1mbit",
                "in=1mbit,",
                "in=all",
                "9999999999999"
            })
    void what_is_none_is_refused(String text) {
        assertThatThrownBy(() -> Bandwidth.parse(text))
                .isInstanceOf(ArgumentException.class)
                .hasMessageContaining("bandwidth");
    }

    @Test
    void it_is_written_with_the_spec() {
        Network.Joined network = Network.on("web").bandwidth(Bandwidth.parse("in=1gbit,out=20mbit"));
        ContainerSpec spec = ContainerSpec.onHost("true").network(network);
        assertThat(SpecJson.read(SpecJson.write(spec)).network()).isEqualTo(network);
        assertThat(network.and(NetworkEndpoint.on("more")).bandwidth()).isEqualTo(network.bandwidth());
    }
}
