package io.holdfast.broker.cluster.peers;

import io.holdfast.broker.cluster.peers.PeerFrame.Kind;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.util.List;

/** The other end of a connection, byte by byte: does what no node would do. */
final class RawPeer implements Closeable {
  private static final int TIMEOUT_MS = 60_000;
  private final Socket socket;
  private final DataInputStream in;
  private final DataOutputStream out;

  RawPeer(Socket socket) throws IOException {
    this.socket = socket;
    socket.setSoTimeout(TIMEOUT_MS);
    in = new DataInputStream(socket.getInputStream());
    out = new DataOutputStream(socket.getOutputStream());
  }

  static RawPeer connect(int port) throws IOException {
    return new RawPeer(new Socket(InetAddress.getLoopbackAddress(), port));
  }

  static RawPeer accept(ServerSocket listener) throws IOException {
    listener.setSoTimeout(TIMEOUT_MS);
    return new RawPeer(listener.accept());
  }

  /** One that answers as that node. */
  static RawPeer acceptAs(ServerSocket listener, String node, List<String> names)
      throws IOException {
    RawPeer peer = accept(listener);
    peer.read();
    peer.write(Kind.HELLO, 0, 0, PeerNodes.handshake(node, names).toJson());
    return peer;
  }

  /** One that was taken for that node. */
  static RawPeer connectAs(int port, String node, List<String> names) throws IOException {
    RawPeer peer = connect(port);
    peer.write(Kind.HELLO, 0, 0, PeerNodes.handshake(node, names).toJson());
    peer.read();
    return peer;
  }

  void write(byte[] bytes) throws IOException {
    out.write(bytes);
    out.flush();
  }

  void write(Kind kind, int type, int id, byte[] payload) throws IOException {
    out.writeInt(PeerFrame.HEAD_BYTES + payload.length);
    out.writeByte(kind.onWire());
    out.writeByte(type);
    out.writeInt(id);
    write(payload);
  }

  void writeInt(int value) throws IOException {
    out.writeInt(value);
    out.flush();
  }

  /** The next frame's kind and payload. */
  Read read() throws IOException {
    byte[] payload = new byte[in.readInt() - PeerFrame.HEAD_BYTES];
    Kind kind = PeerFrame.kind(in.readUnsignedByte());
    int type = in.readUnsignedByte();
    int id = in.readInt();
    in.readFully(payload);
    return new Read(kind, type, id, payload);
  }

  @SuppressWarnings("ArrayRecordComponent")
  record Read(Kind kind, int type, int id, byte[] payload) {}

  /** Reads on until the other side has closed. */
  void awaitEnd() throws IOException {
    byte[] buffer = new byte[8192];
    try {
      while (in.read(buffer) >= 0) {
        // On to the end.
      }
    } catch (EOFException | SocketException reset) {
      return;
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
