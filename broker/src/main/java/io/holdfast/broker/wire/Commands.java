package io.holdfast.broker.wire;

import io.holdfast.broker.config.Options;
import io.holdfast.broker.config.TlsRequired;
import io.netty.buffer.ByteBuf;

/**
 * Tells from a command's line what is to be done and by whom (contract §1.3), and likewise for the
 * body that follows it: checks in the contract's order, texts in its words.
 *
 * <p>Owned by the connection's event loop; strings made of client bytes hold one byte a character
 * (ISO-8859-1).
 */
final class Commands {
  private static final String E_INVALID = "E_INVALID";

  /**
   * The largest body of IDENTIFY and AUTH: anybody can send one, and what they say is kept. nsqd
   * takes {@code max-body-size}; a client's own is a few hundred bytes, a secret a few thousand.
   */
  private static final int MAX_CLIENT_BODY_BYTES = 64 * 1024;

  /** What follows a command's line. */
  enum Follows {
    NONE,
    BODY,
    MPUB
  }

  private final Options options;
  private final ClientV2 client;
  private final ConnectionTimers timers;
  private final Authenticator authenticator;
  private final Publisher publisher;
  private final Consuming consuming;
  private final Upgrades upgrades;
  private boolean identified;
  private long longNamesBytes;

  /** IDENTIFY or AUTH, while its body is awaited; null when it is a publish's. */
  private String bodyCommand;

  Commands(
      Options options,
      ClientV2 client,
      ConnectionTimers timers,
      Authenticator authenticator,
      Publisher publisher,
      Consuming consuming,
      Upgrades upgrades) {
    this.options = options;
    this.client = client;
    this.timers = timers;
    this.authenticator = authenticator;
    this.publisher = publisher;
    this.consuming = consuming;
    this.upgrades = upgrades;
  }

  // ---------------------------------------------------------------- lines

  /** Takes a FIN without parsing a line; false when it is not in order and needs a closer look. */
  boolean finFast(ByteBuf in, int idIndex) {
    if (authenticator.isRecheckDue() || !consuming.finFast(in, idIndex)) {
      return false;
    }
    timers.commandRead();
    return true;
  }

  /**
   * Runs the command of a line; bodies follow.
   *
   * @param params its words, the command first; others may have them, too
   */
  Follows line(String[] params) throws ClientException {
    timers.commandRead();
    String command = params[0];
    if (isTlsMissing() && !command.equals("IDENTIFY")) {
      throw ClientException.fatal(
          E_INVALID, "cannot " + command + " in current state (TLS required)");
    }
    authenticator.recheck(command);
    bodyCommand = null;
    switch (command) {
      case "FIN" -> consuming.fin(params);
      case "RDY" -> consuming.rdy(params);
      case "REQ" -> consuming.req(params);
      case "PUB" -> {
        publisher.pub(params);
        return Follows.BODY;
      }
      case "MPUB" -> {
        publisher.mpub(params);
        return Follows.MPUB;
      }
      case "DPUB" -> {
        publisher.dpub(params);
        return Follows.BODY;
      }
      case "NOP" -> {
        // Says that the client lives.
      }
      case "TOUCH" -> consuming.touch(params);
      case "SUB" -> consuming.sub(params);
      case "CLS" -> consuming.cls();
      case "IDENTIFY" -> {
        ClientException.requireState(client.state() == ClientV2.STATE_INIT, command);
        bodyCommand = command;
        return Follows.BODY;
      }
      case "AUTH" -> {
        ClientException.requireState(client.state() == ClientV2.STATE_INIT, command);
        if (params.length != 1) {
          throw ClientException.fatal(E_INVALID, "AUTH invalid number of parameters");
        }
        bodyCommand = command;
        return Follows.BODY;
      }
      default -> throw ClientException.fatal(E_INVALID, "invalid command " + command);
    }
    return Follows.NONE;
  }

  private boolean isTlsMissing() {
    return options.tlsRequired() != TlsRequired.FALSE && !client.security().tls();
  }

  // ---------------------------------------------------------------- bodies

  /** Bytes of the largest MPUB behind its line. */
  int maxMpubBytes() {
    return options.maxBodySize() + Integer.BYTES;
  }

  void checkBodySize(int size) throws ClientException {
    if (bodyCommand == null) {
      publisher.checkBodySize(size);
      return;
    }
    if (size <= 0) {
      throw ClientException.fatal("E_BAD_BODY", bodyCommand + " invalid body size " + size);
    }
    int max = options.maxBodySize();
    if (size <= max) {
      max = Math.min(max, MAX_CLIENT_BODY_BYTES);
    }
    if (size > max) {
      throw ClientException.fatal(
          "E_BAD_BODY", bodyCommand + " body too big " + size + " > " + max);
    }
  }

  void checkMpubCount(int count) throws ClientException {
    publisher.checkMpubCount(count);
  }

  void checkMpubMessage(int i, int size, int bytesBefore) throws ClientException {
    publisher.checkMpubMessage(i, size, bytesBefore);
  }

  ClientException shortBody(boolean noSize) {
    if (bodyCommand == null) {
      return publisher.shortBody(noSize);
    }
    return ClientException.fatal(
        "E_BAD_BODY",
        bodyCommand + (noSize ? " failed to read body size" : " failed to read body"));
  }

  ClientException shortMpub(int scanned, int count, int done, int readable) {
    return publisher.shortMpub(scanned, count, done, readable);
  }

  /** Too many clients wait to send something large. */
  ClientException noRoom(boolean isBody) {
    String command = !isBody ? "line" : bodyCommand != null ? bodyCommand : publisher.command();
    String code = isBody && bodyCommand == null ? "E_" + command + "_FAILED" : E_INVALID;
    return ClientException.fatal(
        code, command + " failed too many large bodies are being received (max-input-bytes)");
  }

  /**
   * Runs the command whose body is there.
   *
   * @param start index of its size field
   * @return false when it waits for other threads and will be called again
   */
  boolean body(ByteBuf in, int start, int size) throws ClientException {
    consuming.flushFins();
    if (bodyCommand == null) {
      return publisher.publish(in.slice(start, Integer.BYTES + size), 1);
    }
    byte[] data = new byte[size];
    in.getBytes(start + Integer.BYTES, data);
    if (bodyCommand.equals("IDENTIFY")) {
      identify(data);
      return true;
    }
    authenticator.auth(data);
    return true;
  }

  boolean mpub(ByteBuf in, int start, int bytes, int count) throws ClientException {
    consuming.flushFins();
    return publisher.publish(in.slice(start, bytes), count);
  }

  private void identify(byte[] data) throws ClientException {
    Identify identify = Identify.parse(data, options);
    long names = identify.settings().longNamesBytes();
    client.memory().take(Math.max(0, names - longNamesBytes));
    longNamesBytes = Math.max(names, longNamesBytes);
    if (identified) {
      client.setSettings(identify.settings().withTimingOf(client.settings()));
    } else {
      identified = true;
      client.setSettings(identify.settings());
      timers.start(identify.settings().heartbeatIntervalMs());
    }
    if (!identify.isFeatureNegotiation()) {
      client.output().ok();
      return;
    }
    upgrades.negotiate(identify);
  }
}
