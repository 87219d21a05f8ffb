function l(){let e="";return t=>{e+=t.replaceAll(`\r
`,`
`);const n=e.split(`

`);return e=n.pop()??"",n.flatMap(i)}}function i(e){let t="message",n;const a=[];for(const r of e.split(`
`)){const c=r.indexOf(":");if(c<=0)continue;const o=r.slice(c+1).replace(/^ /,""),s=r.slice(0,c);s==="event"?t=o:s==="id"?n=o:s==="data"&&a.push(o)}return a.length?[{name:t,id:n,data:JSON.parse(a.join(`
`))}]:[]}async function*d(e){const t=l(),n=new TextDecoder,a=e.getReader();try{for(;;){const{done:r,value:c}=await a.read();if(r)return;yield*t(n.decode(c,{stream:!0}))}}finally{await a.cancel().catch(()=>{})}}export{d as r};
