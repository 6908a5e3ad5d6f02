package dev.caisson.linux;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketImpl;
import java.net.SocketOptions;
import java.net.UnknownHostException;

/// A socket of TCP whose descriptor comes from elsewhere, for code that takes a [Socket]: it was accepted here, or is
/// connected by somebody else. Made for virtual threads, of which one may read while another one writes.
public final class DescriptorSocket extends Socket {
    /// Makes the connection.
    public interface Connector {
        /// Returns a connected socket whose calls never wait.
        /// @param millis 0 to wait without end
        Fd connect(InetSocketAddress to, int millis) throws IOException;
    }

    private DescriptorSocket(Impl impl) throws SocketException {
        super(impl);
    }

    /// Returns one that is connected by [#connect].
    public static DescriptorSocket unconnected(Connector connector) throws SocketException {
        return new DescriptorSocket(new Impl(connector));
    }

    /// Returns one for a connected socket whose calls never wait, which it owns from then on.
    public static DescriptorSocket of(Fd connected) throws IOException {
        try {
            var socket = new DescriptorSocket(new Impl((_, _) -> connected));
            socket.connect(InternetSockets.remoteAddress(connected));
            return socket;
        } catch (RuntimeException | IOException e) {
            connected.close();
            throw e instanceof IOException io ? io : new SocketException(e.getMessage());
        }
    }

    private static final class Impl extends SocketImpl {
        private final Connector connector;
        private final Object lock = new Object();
        private volatile boolean ended;
        private volatile int timeout;
        private volatile DescriptorStreams streams = DescriptorStreams.NONE;

        Impl(Connector connector) {
            this.connector = connector;
        }

        @Override
        protected void create(boolean stream) {
            // its descriptor comes later
        }

        @Override
        protected void connect(String host, int to) throws IOException {
            connect(new InetSocketAddress(host, to), 0);
        }

        @Override
        protected void connect(InetAddress to, int toPort) throws IOException {
            connect(new InetSocketAddress(to, toPort), 0);
        }

        @Override
        protected void connect(SocketAddress endpoint, int millis) throws IOException {
            if (!(endpoint instanceof InetSocketAddress to) || to.isUnresolved()) {
                throw new UnknownHostException(endpoint + " is no address");
            }
            Fd connected = connector.connect(to, millis);
            synchronized (lock) {
                if (ended) {
                    connected.close();
                    throw new SocketException("the socket was closed");
                }
                try {
                    streams = new DescriptorStreams(connected, () -> timeout);
                } catch (RuntimeException e) {
                    connected.close();
                    throw new SocketException(e.getMessage());
                }
            }
            address = to.getAddress();
            port = to.getPort();
        }

        @Override
        protected void bind(InetAddress host, int to) throws IOException {
            throw new SocketException("a socket of a descriptor is not bound here");
        }

        @Override
        protected void listen(int backlog) throws IOException {
            throw new SocketException("a socket of a descriptor does not listen");
        }

        @Override
        protected void accept(SocketImpl into) throws IOException {
            throw new SocketException("a socket of a descriptor accepts nothing");
        }

        @Override
        protected InputStream getInputStream() {
            return streams.input();
        }

        @Override
        protected OutputStream getOutputStream() {
            return streams.output();
        }

        @Override
        protected int available() throws IOException {
            return streams.input().available();
        }

        @Override
        protected void close() {
            synchronized (lock) {
                ended = true;
            }
            streams.close();
        }

        @Override
        protected void shutdownOutput() {
            streams.endWriting();
        }

        @Override
        protected void sendUrgentData(int data) throws IOException {
            throw new SocketException("a socket of a descriptor sends no urgent data");
        }

        @Override
        public void setOption(int option, Object value) throws SocketException {
            switch (option) {
                case SocketOptions.SO_TIMEOUT -> timeout = (Integer) value;
                case SocketOptions.TCP_NODELAY -> streams.noDelay(Boolean.TRUE.equals(value));
                default -> throw new SocketException("a socket of a descriptor has no option " + option);
            }
        }

        @Override
        public Object getOption(int option) throws SocketException {
            return switch (option) {
                case SocketOptions.SO_TIMEOUT -> timeout;
                case SocketOptions.SO_BINDADDR -> streams.localAddress().getAddress();
                default -> throw new SocketException("a socket of a descriptor has no option " + option);
            };
        }
    }
}
