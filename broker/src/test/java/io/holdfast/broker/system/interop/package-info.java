/** Real clients behind one face, so that one scenario serves all of them and all transports. */
package io.holdfast.broker.system.interop;
