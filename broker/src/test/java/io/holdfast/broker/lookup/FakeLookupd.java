package io.holdfast.broker.lookup;

import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Speaks nsqlookupd's side of contract §6 on loopback and writes down what it was told. */
public final class FakeLookupd implements AutoCloseable {
  public static final String INFO =
      "{\"broadcast_address\":\"127.0.0.1\",\"hostname\":\"h\",\"http_port\":%d,\"tcp_port\":1,"
          + "\"version\":\"1.3.0\"}";

  /** Lines as received; IDENTIFY with its body, connections as CONNECT and their magic. */
  public final List<String> received = new CopyOnWriteArrayList<>();

  private final List<Socket> sockets = new CopyOnWriteArrayList<>();
  private final ServerSocket server;
  private volatile String identifyReply = INFO.formatted(4161);
  private volatile boolean silent;

  public FakeLookupd() throws IOException {
    this(0);
  }

  public FakeLookupd(int port) throws IOException {
    server = new ServerSocket();
    server.setReuseAddress(true);
    server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    daemon(this::accept);
  }

  public String address() {
    return "127.0.0.1:" + server.getLocalPort();
  }

  public int port() {
    return server.getLocalPort();
  }

  public void replyToIdentify(String reply) {
    identifyReply = reply;
  }

  /** From now on commands are read but not answered. */
  public void silence() {
    silent = true;
  }

  public void dropConnections() throws IOException {
    for (Socket socket : sockets) {
      socket.close();
    }
    sockets.clear();
  }

  private static void daemon(Runnable task) {
    Thread thread = new Thread(task, "fake-lookupd");
    thread.setDaemon(true);
    thread.start();
  }

  private void accept() {
    try {
      while (true) {
        Socket socket = server.accept();
        sockets.add(socket);
        daemon(() -> serve(socket));
      }
    } catch (IOException e) {
      received.add("CLOSED");
    }
  }

  private void serve(Socket socket) {
    try (DataInputStream in = new DataInputStream(socket.getInputStream());
        DataOutputStream out =
            new DataOutputStream(new BufferedOutputStream(socket.getOutputStream()))) {
      received.add("CONNECT" + new String(in.readNBytes(4), StandardCharsets.US_ASCII));
      while (true) {
        StringBuilder line = new StringBuilder();
        for (char c = (char) in.readUnsignedByte(); c != '\n'; c = (char) in.readUnsignedByte()) {
          line.append(c);
        }
        String reply = "OK";
        if (line.toString().equals("IDENTIFY")) {
          byte[] body = new byte[in.readInt()];
          in.readFully(body);
          line.append(' ').append(new String(body, StandardCharsets.UTF_8));
          reply = identifyReply;
        }
        received.add(line.toString());
        if (!silent) {
          out.writeInt(reply.length());
          out.writeBytes(reply);
          out.flush();
        }
      }
    } catch (IOException e) {
      received.add("DISCONNECT");
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    dropConnections();
  }
}
