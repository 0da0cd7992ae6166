/** The little of sax that the reader uses; the package ships no types. */
declare module "sax" {
  interface Parser {
    onopentag: (node: { readonly name: string }) => void;
    onclosetag: (name: string) => void;
    ontext: (text: string) => void;
    oncdata: (text: string) => void;
    onerror: (error: Error) => void;
    error: Error | null;
    /** Throws the error that `onerror` left in `error`. */
    write(text: string): Parser;
    close(): Parser;
  }
  const sax: {
    parser(strict: boolean, options?: { readonly lowercase?: boolean; readonly trim?: boolean }): Parser;
  };
  export default sax;
}
