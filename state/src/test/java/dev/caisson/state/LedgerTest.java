package dev.caisson.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LedgerTest {
    private final List<String> done = new ArrayList<>();

    private Holding holding(String name) {
        return new Holding() {
            @Override
            public void undo(String id) {
                done.add("undo " + name + " " + id);
            }

            @Override
            public void clear(String id) {
                done.add("clear " + name + " " + id);
            }

            @Override
            public void clearUnrecorded() {
                done.add("clear unrecorded " + name);
            }
        };
    }

    private static Holding stuck() {
        return id -> {
            throw new IllegalStateException("stuck");
        };
    }

    @Test
    void all_holdings_are_given_back_in_their_order() {
        var ledger = new Ledger(List.of(holding("layer"), holding("record").then(() -> done.add("told"))));

        ledger.undo("a");
        ledger.clear("b");
        ledger.clearUnrecorded();

        assertThat(done)
                .containsExactly(
                        "undo layer a",
                        "undo record a",
                        "told",
                        "clear layer b",
                        "clear record b",
                        "clear unrecorded layer",
                        "clear unrecorded record");
    }

    @Test
    void the_record_stays_where_something_before_it_is_left() {
        var ledger = new Ledger(List.of(stuck(), holding("record")));

        assertThatThrownBy(() -> ledger.undo("a")).hasMessage("stuck");
        assertThat(done).isEmpty();
    }

    @Test
    void what_the_next_engine_finds_without_a_record_keeps_nothing_back() {
        new Ledger(List.of(stuck().orLeft("the layer"), holding("record"))).undo("a");

        assertThat(done).containsExactly("undo record a");
    }
}
