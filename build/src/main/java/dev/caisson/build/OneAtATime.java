package dev.caisson.build;

import dev.caisson.image.PullListener;
import java.time.Duration;

/// Passes on what several threads tell, one call at a time.
final class OneAtATime implements BuildListener {
    private final BuildListener to;

    OneAtATime(BuildListener to) {
        this.to = to;
    }

    @Override
    public synchronized void begins(int number, String where, String text) {
        to.begins(number, where, text);
    }

    @Override
    public synchronized void output(int number, boolean isError, String text) {
        to.output(number, isError, text);
    }

    @Override
    public synchronized void ends(int number, boolean cached, Duration time) {
        to.ends(number, cached, time);
    }

    @Override
    public synchronized void fails(int number, String sentence) {
        to.fails(number, sentence);
    }

    @Override
    public synchronized void cancels(int number) {
        to.cancels(number);
    }

    @Override
    public synchronized void warns(String sentence) {
        to.warns(sentence);
    }

    @Override
    public synchronized PullListener pulls(String image) {
        return to.pulls(image);
    }

    @Override
    public synchronized void pulled(String image) {
        to.pulled(image);
    }

    @Override
    public synchronized void waits() {
        to.waits();
    }
}
