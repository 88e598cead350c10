package io.holdfast.broker.net;

import io.holdfast.storage.files.FileModes;
import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file of a unix socket. A broker killed leaves it behind, and with it nsqd would not start
 * again; we remove it if nobody listens there.
 */
public final class UnixSocketFile {
  private static final Logger LOG = LoggerFactory.getLogger(UnixSocketFile.class);

  private UnixSocketFile() {}

  /**
   * Removes what a killed broker left. Netty's epoll transport would itself remove whatever is
   * there, a file or another broker's socket too; so this refuses those.
   *
   * @throws IOException if something else is there, someone listens, or it cannot be removed
   */
  public static void removeIfStale(String path) throws IOException {
    Path file = Path.of(path);
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    if (!Files.readAttributes(file, BasicFileAttributes.class).isOther()) {
      throw new IOException("listen (" + path + ") failed - exists and is no socket");
    }
    try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      probe.connect(UnixDomainSocketAddress.of(file));
    } catch (ConnectException e) { // nobody there
      LOG.info("removing the unix socket {} left by a killed process", path);
      Files.deleteIfExists(file);
      return;
    }
    throw new IOException("listen (" + path + ") failed - address already in use");
  }

  /**
   * Gives the file the mode that nsqd's has, by the mask that the process was started with: who may
   * connect is for whoever starts it to say, other than with data.
   */
  public static void open(String path) throws IOException {
    Files.setAttribute(Path.of(path), "unix:mode", FileModes.byFormerMask());
  }

  /** Removes the file after listening; what prevents it is logged. */
  public static void remove(String path) {
    try {
      Files.deleteIfExists(Path.of(path));
    } catch (IOException e) {
      LOG.warn("cannot remove the unix socket {}: {}", path, e.toString());
    }
  }
}
