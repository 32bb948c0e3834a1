// axios types no part of itself.
declare module 'axios/unsafe/core/AxiosError.js' {
  export { AxiosError as default } from 'axios';
}
declare module 'axios/unsafe/core/AxiosHeaders.js' {
  export { AxiosHeaders as default } from 'axios';
}
declare module 'axios/unsafe/cancel/CanceledError.js' {
  export { CanceledError as default } from 'axios';
}
