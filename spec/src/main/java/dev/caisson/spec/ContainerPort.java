package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;

/// A port of a container.
///
/// @param number 1–65535
public record ContainerPort(int number, Transport transport) implements Comparable<ContainerPort> {
    private static final int HIGHEST = 65535;

    public ContainerPort {
        present(transport, "transport");
        if (number < 1 || number > HIGHEST) {
            throw ArgumentException.invalid("container port " + number + " is not a port: use 1 to 65535");
        }
    }

    @Override
    public int compareTo(ContainerPort other) {
        int byNumber = Integer.compare(number, other.number);
        return byNumber != 0 ? byNumber : transport.compareTo(other.transport);
    }

    /// `80/tcp`, as Docker writes it.
    @Override
    public String toString() {
        return number + "/" + transport.text();
    }
}
