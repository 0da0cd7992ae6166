import koffi, { type KoffiFunc } from "koffi";

/**
 * libtoxcore's own encryption of profiles. It has no state, so it is called in the test's own process.
 */
export function toxcoreEncryption() {
  const library = koffi.load(process.env.LIBTOXCORE ?? "libtoxcore.so.2");
  const bytes = "const uint8_t *data, size_t length, const uint8_t *password, size_t size, uint8_t *out";
  const encrypt = library.func(`bool tox_pass_encrypt(${bytes}, _Out_ int *error)`);
  const decrypt = library.func(`bool tox_pass_decrypt(${bytes}, _Out_ int *error)`);
  return {
    encrypt: (plain: Uint8Array, password: Uint8Array) => call(encrypt, plain, password, plain.length + 80),
    decrypt: (boxed: Uint8Array, password: Uint8Array) => call(decrypt, boxed, password, boxed.length - 80),
  };
}

function call(
  fn: KoffiFunc<(...args: unknown[]) => unknown>,
  data: Uint8Array,
  password: Uint8Array,
  size: number,
): Uint8Array {
  const out = new Uint8Array(size);
  const error = [0];
  if (fn(data, data.length, password, password.length, out, error) !== true) throw new Error(`error ${error[0]}`);
  return out;
}
