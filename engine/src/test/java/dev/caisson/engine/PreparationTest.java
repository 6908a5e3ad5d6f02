package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThatCode;

import org.junit.jupiter.api.Test;

class PreparationTest {
    /// What goes wrong there is told to nobody at run time: the launch itself meets it again.
    @Test
    void a_launch_that_nobody_wishes_can_be_rehearsed() {
        assertThatCode(Preparation::rehearse).doesNotThrowAnyException();
    }
}
