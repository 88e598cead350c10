package io.holdfast.broker.system.support;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/** Sends each write at once. */
final class Flushed extends FilterOutputStream {
  Flushed(OutputStream out) {
    super(out);
  }

  @Override
  public void write(byte[] bytes, int from, int count) throws IOException {
    out.write(bytes, from, count);
    out.flush();
  }
}
