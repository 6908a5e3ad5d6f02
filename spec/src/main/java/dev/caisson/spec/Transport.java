package dev.caisson.spec;

/// A protocol that has ports.
public enum Transport {
    TCP(6, "tcp"),
    UDP(17, "udp");

    private final int number;
    private final String text;

    Transport(int number, String text) {
        this.number = number;
        this.text = text;
    }

    /// Returns the protocol number of IP.
    public int number() {
        return number;
    }

    /// Returns the name as it stands behind a port, `tcp`.
    public String text() {
        return text;
    }
}
